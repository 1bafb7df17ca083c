#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace veer::proxy::admin {

/// What a cutover rests on, and what comparisons have come to, as plain values: part of Snapshot.
/// Names of classes, gates and guards are those of router/; nothing here holds a key or a vector.

/// One condition for going forward.
struct GateFacts {
    std::string route = {};
    std::string gate = {};
    double value = 0;
    double bound = 0;
    double threshold = 0;
    std::uint64_t samples = 0;
    double evidence = 0;
    std::string verdict = {};
    std::optional<std::uint64_t> more_needed = {};
    std::optional<std::int64_t> eta = {};  ///< then, microseconds since 1970, at today's rate
};

/// One reason to go back.
struct GuardFacts {
    std::string route = {};
    std::string guard = {};
    std::string kind = {};
    double value = 0;
    double trip = 0;
    double clear = 0;
    std::string state = {};
    std::string action = {};
    std::uint64_t trips = 0;
    std::optional<std::int64_t> since = {};  ///< in this state, microseconds since 1970
    std::uint64_t trips_of_a_day = 0;
};

struct RuleFacts {
    std::int64_t rule = 0;
    std::string route = {};  ///< empty: every route
    std::string match = {};
    std::string effect = {};
    std::uint64_t hits = 0;
    std::string comment = {};
    bool active = true;
    std::optional<std::int64_t> last_hit = {};  ///< microseconds since 1970
};

/// One decision, as the audit file has it, without its evidence.
struct AuditFacts {
    std::uint64_t seq = 0;
    std::int64_t at = 0;  ///< microseconds since 1970
    std::string actor = {};
    std::string via = {};
    std::string action = {};
    std::string route = {};
    std::uint64_t version = 0;
    std::string from = {};
    std::string to = {};
    std::string reason = {};
    std::string verdict = {};
    std::string previous = {};
    std::string hash = {};  ///< of its line
};

/// A step that is still ahead of a route.
struct StepFacts {
    std::string route = {};
    double percent = 0;
    std::int64_t hold_seconds = 0;               ///< at the step before it, at least
    std::optional<std::uint64_t> compared = {};  ///< comparisons that it needs yet
    std::optional<std::int64_t> earliest = {};   ///< microseconds since 1970, at today's rate
    std::string obstacle = {};
};

struct LatencyFacts {
    std::string route = {};
    std::string engine = {};
    std::string kind = {};  ///< "paired": the same searches on both engines; "served": clients'
    std::uint64_t count = 0;
    double p50_ms = 0;
    double p90_ms = 0;
    double p95_ms = 0;
    double p99_ms = 0;
    double max_ms = 0;
    std::string fingerprint = {};         ///< empty: of all shapes together
    std::optional<std::uint64_t> k = {};  ///< likewise
};

struct RecallFacts {
    std::string route = {};
    std::string engine = {};
    std::string judge = {};  ///< "exact"; "best of both" is an upper bound
    std::uint64_t samples = 0;
    double mean = 0;
    double p10 = 0;
    double p1 = 0;
    double share_perfect = 0;
    double share_below_50 = 0;
    /// What the mean is at least, proven with 99 %; worked out where it is asked for. Empty: it
    /// cannot be told.
    std::function<double()> lower_99 = {};
    std::string fingerprint = {};         ///< empty: of all shapes together
    std::optional<std::uint64_t> k = {};  ///< likewise
};

/// What the comparisons of a route have come to.
struct CompareFacts {
    std::string route = {};
    std::uint64_t sampled = 0;
    std::uint64_t compared = 0;
    std::uint64_t judged = 0;
    std::uint64_t repeated = 0;
    std::uint64_t shed = 0;
    std::string shed_why = {};  ///< by reason
    std::uint64_t failed = 0;
    std::string trouble = {};  ///< why the last one failed; empty where it did not
    std::uint64_t excluded = 0;
    std::string excluded_classes = {};
    std::uint64_t equal = 0;
    std::uint64_t ties = 0;  ///< of the equal ones
    std::uint64_t veer_missed = 0;
    std::uint64_t pg_missed = 0;
    std::uint64_t both_missed = 0;
    std::uint64_t veer_short = 0;
    std::uint64_t pg_short = 0;
    std::uint64_t hard = 0;
    std::string hard_classes = {};
    std::optional<double> overlap = {};
    std::optional<double> rank_overlap = {};
    std::optional<double> distance_ratio = {};
    std::uint64_t tolerance_matters = 0;
};

/// The searches of one shape.
struct QueryFacts {
    std::string fingerprint = {};  ///< as rules and quarantines name it
    std::string route = {};        ///< empty where it belongs to none
    std::string sql = {};          ///< without literals, its beginning
    bool eligible = false;
    std::string reason = {};  ///< why Postgres answered, the last time
    std::uint64_t veer = 0;
    std::uint64_t postgres = 0;
    std::uint64_t fallbacks = 0;
    bool quarantined = false;
    bool filtered = false;  ///< it has a WHERE
    // Of those that were compared.
    std::optional<std::uint64_t> k_median = {};
    std::optional<double> recall = {};
    std::optional<double> pg_recall = {};
    std::optional<double> p95_ms = {};
    std::optional<double> pg_p95_ms = {};
};

/// An answer that differed.
/// One search, and why it went where it went.
struct ReceiptFacts {
    std::int64_t at = 0;  ///< microseconds since 1970
    std::string route = {};
    std::string engine = {};
    std::string reason = {};
    std::string key = {};
    std::string role = {};
    std::string application = {};
    std::string fingerprint = {};
    double percent = 0;
    double bucket_percent = 0;
    std::optional<double> ms = {};
    bool sampled = false;
};

/// A class of differences that is not counted for a while.
struct IgnoredFacts {
    std::string difference = {};
    std::string fingerprint = {};
    std::int64_t until = 0;  ///< microseconds since 1970
    std::string reason = {};
    std::string by = {};
    std::uint64_t hits = 0;
};

struct MismatchFacts {
    std::uint64_t id = 0;
    std::int64_t at = 0;  ///< microseconds since 1970
    std::string route = {};
    std::string fingerprint = {};
    std::string difference = {};
    std::string payload = {};  ///< names of the columns that differ
    std::string severity = {};
    std::uint64_t k = 0;
    bool served_by_veer = false;
    bool judged = false;
    double recall = 0;
    double pg_recall = 0;
    double distance_ratio = 0;
    std::uint32_t ef_search = 0;
    double ms = 0;
    double pg_ms = 0;
    std::string applied_lsn = {};
    std::string pg_lsn = {};
    std::string noise = {};  ///< whether Postgres agreed with itself; empty where it was not asked
};

}  // namespace veer::proxy::admin
