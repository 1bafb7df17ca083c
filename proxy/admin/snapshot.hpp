#pragma once

#include "proxy/admin/traffic_facts.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veer::proxy::admin {

/// All that the console, the metrics and the page show, as plain values of one moment. Whoever has
/// the parts of the process fills it in; here nobody knows them.

struct ReasonCount {
    std::string reason = {};
    std::string engine = {};  ///< "veer" or "postgres"
    std::uint64_t calls = 0;
    std::optional<std::int64_t> last = {};  ///< microseconds since 1970, to a tenth of a second
    std::string hint = {};                  ///< what to do about it; empty where nothing is
};

struct RouteFacts {
    std::string name = {};  ///< "public.documents.embedding <=>"
    std::string database = {};
    std::string relation = {};
    std::string column = {};
    std::string operator_name = {};
    std::string state = {};        ///< what has been decided for it, or how far its copy is
    std::string traffic = {};      ///< "observe", "shadow", "canary", ...: where the cutover stands
    double desired_percent = 0;    ///< as configured or commanded
    double allowed_percent = 0;    ///< of that, what guards have left
    double effective_percent = 0;  ///< as it is obeyed at present
    std::string why = {};          ///< why these two differ; empty where they do not
    std::string source = {};   ///< where the desired one is from: "route", "defaults", "command"
    std::int64_t version = 0;  ///< of its cutover state; 0: it has none
    std::uint64_t rows = 0;
    double progress_percent = 0;  ///< of its copy
    std::uint64_t veer = 0;       ///< searches answered by the index since the start
    std::uint64_t postgres = 0;   ///< eligible searches answered by Postgres
    std::vector<ReasonCount> reasons = {};
    bool held = false;                              ///< no raise until RESUME
    std::optional<std::int64_t> since = {};         ///< it stands there; microseconds since 1970
    std::optional<double> next_step = {};           ///< percent
    std::optional<std::int64_t> next_step_at = {};  ///< not before
    std::optional<std::int64_t> trial_until = {};
    std::string verdict = {};   ///< of its gates
    std::string obstacle = {};  ///< of the next step, a sentence; empty where there is none
    std::optional<double> recall = {};
    std::optional<double> recall_bound = {};  ///< proven
    std::optional<std::int64_t> lag_ms = {};
    std::optional<double> step = {};  ///< the last one that its share has reached

    std::uint32_t dimensions = 0;
    std::string metric = {};
    std::uint32_t m = 0;
    std::uint32_t ef_construction = 0;
    std::string upstream_index = {};  ///< pgvector's, which it mirrors
    std::uint64_t dead_slots = 0;
    std::uint64_t rejected_rows = 0;
    std::uint64_t missing_rows = 0;
    std::uint64_t memory_bytes = 0;  ///< estimated
    std::uint64_t file_bytes = 0;    ///< of vectors, beside that
    std::uint64_t cached_bytes = 0;  ///< of these, in the page cache
    std::uint64_t rebuilds = 0;      ///< of its graph, since it was copied
    bool rebuilding = false;
    std::string upkeep_trouble = {};
    std::string quantization = {};
    std::string ef_search = {};  ///< "session", or what was learnt
};

struct ClientFacts {
    std::uint64_t number = 0;
    std::string user = {};
    std::string database = {};
    std::string application_name = {};
    std::string address = {};  ///< empty over a Unix socket
    std::uint16_t port = 0;
    std::string state = {};  ///< "login", "idle", "active", "idle in transaction", ...
    bool tls = false;
    std::int64_t connected_at = 0;    ///< microseconds since 1970
    std::string server_address = {};  ///< empty where it has no server (the console)
    std::uint16_t server_port = 0;
    bool server_tls = false;
    std::int64_t server_pid = 0;
    std::uint64_t unsent_bytes = 0;
    std::string last_engine = {};
    std::string last_reason = {};
    std::string last_route = {};
    double last_ms = 0;
    std::string route_override = {};  ///< veer.route, as its last search found it
    std::string key = {};             ///< likewise
};

struct HostFacts {
    std::string host = {};
    std::uint16_t port = 0;
    std::string role = {};  ///< "unknown" where nobody has to look
};

/// How far the copy follows the upstream server.
struct ReplicationFacts {
    std::string phase = {};
    std::string reason = {};  ///< why it does not go on; empty where it does
    std::string applied_lsn = {};
    std::uint64_t rows_done = 0;
    double rows_estimated = 0;

    // What only the server can tell; nothing where it could not be asked.
    std::string slot = {};
    std::string server_lsn = {};
    std::optional<std::int64_t> lag_bytes = {};
    std::optional<std::int64_t> retained_bytes = {};
    std::string trouble = {};  ///< why the server could not be asked
};

/// How far one table is copied. Rows count in the state that it is in: copying, building, ...
struct CopyFacts {
    std::string table = {};
    std::string state = {};
    std::uint64_t rows = 0;
    double rows_expected = 0;
    std::uint64_t bytes = 0;
    double rows_per_second = 0;
    std::optional<double> seconds_left = {};
    std::string reason = {};
};

/// What was compared of one table with its copy, since the start.
struct VerifiedFacts {
    std::string table = {};
    std::uint64_t passes = 0;    ///< over the whole table
    std::int64_t passed_at = 0;  ///< the last one's end, microseconds since 1970
    std::uint64_t rows = 0;
    std::uint64_t differences = 0;
    std::uint64_t repaired = 0;
    std::string trouble = {};  ///< why the last attempt came to nothing
};

/// Searches of a route that are kept with their exact answers, and how the index answers them.
struct GoldenFacts {
    std::string route = {};
    std::uint64_t searches = 0;
    std::uint64_t fresh = 0;     ///< whose exact answer holds
    std::uint64_t judged = 0;    ///< exact answers since the start
    std::uint64_t measured = 0;  ///< that the index was asked, of the fresh ones
    std::optional<double> recall = {};
    std::optional<double> recall_at_most = {};  ///< allowing for how few they are
    std::string recall_at_ef =
        {};  ///< a JSON object, as TUNE found it last; empty where it has not
};

struct ConfigFacts {
    std::string key = {};
    std::string value = {};
    std::string file_value = {};  ///< differs from value where a restart is needed
    std::string default_value = {};
    bool restart = false;
    std::string source = {};  ///< "default", "file" or "override"
};

struct ProcessFacts {
    std::string version = {};
    std::int64_t started_at = 0;  ///< microseconds since 1970
    std::int64_t now = 0;
    bool panic = false;
    bool draining = false;  ///< no more clients are taken
    std::uint64_t clients = 0;
    std::uint64_t clients_max = 0;
    std::uint64_t sockets = 0;
    std::uint64_t cancels = 0;
    std::uint64_t unsent_bytes = 0;
    std::uint64_t reloads = 0;
    std::uint64_t reloads_refused = 0;
    bool last_reload_worked = true;
};

struct Snapshot {
    ProcessFacts process;
    std::vector<RouteFacts> routes = {};
    std::vector<ReasonCount> reasons = {};  ///< of searches without a route
    std::vector<ClientFacts> clients = {};
    std::vector<HostFacts> hosts = {};
    ReplicationFacts replication;
    std::vector<CopyFacts> copies = {};
    std::vector<VerifiedFacts> verified = {};
    std::vector<GoldenFacts> golden = {};
    std::vector<GateFacts> gates = {};
    std::vector<GuardFacts> guards = {};
    std::vector<RuleFacts> rules = {};
    std::vector<AuditFacts> audit = {};  ///< latest first
    std::vector<StepFacts> steps = {};
    std::vector<QueryFacts> queries = {};  ///< the most frequent first
    std::vector<CompareFacts> comparisons = {};
    std::vector<RecallFacts> recalls = {};
    std::vector<LatencyFacts> latencies = {};
    std::vector<MismatchFacts> mismatches = {};  ///< latest first
    std::vector<ConfigFacts> config = {};
    std::vector<ReceiptFacts> receipts = {};  ///< latest first
    std::vector<IgnoredFacts> ignored = {};
};

}  // namespace veer::proxy::admin
