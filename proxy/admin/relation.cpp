#include "proxy/admin/relation.hpp"

#include "proxy/admin/relation_rows.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace veer::proxy::admin {

namespace {

constexpr Type text = Type::text;
constexpr Type integer = Type::integer;
constexpr Type number = Type::number;
constexpr Type boolean = Type::boolean;
constexpr Type timestamp = Type::timestamp;

/// Below it are the oids of Postgres itself (FirstNormalObjectId).
constexpr std::uint32_t first_oid = 16384;

std::vector<Relation> traffic_relations() {
    return {
        {"routes",
         "What is served, how much of it by the index, and why not more",
         {{"route", text},
          {"database", text},
          {"relation", text},
          {"column", text},
          {"op", text},
          {"state", text},
          {"desired_pct", number},
          {"effective_pct", number},
          {"why", text},
          {"source", text},
          {"version", integer},
          {"rows", integer},
          {"progress_pct", number},
          {"veer", integer},
          {"postgres", integer},
          {"traffic", text},
          {"allowed_pct", number},
          {"held", boolean},
          {"since", timestamp},
          {"next_step", number},
          {"next_step_at", timestamp},
          {"trial_until", timestamp},
          {"verdict", text},
          {"obstacle", text},
          {"recall", number},
          {"recall_lo", number},
          {"lag_ms", integer},
          {"step", number},
          {"pg_recall", number},
          {"p95_ms", number},
          {"pg_p95_ms", number}},
         rows::routes},
        {"reasons",
         "Why searches went where they went, counted since the start",
         {{"route", text},
          {"engine", text},
          {"reason", text},
          {"calls", integer},
          {"share", number},
          {"last_seen", timestamp},
          {"fixable", boolean},
          {"hint", text}},
         rows::reasons},
        {"queries",
         "Shapes of searches, the most frequent first, and who answered them",
         {{"fingerprint", text},
          {"route", text},
          {"sample_sql", text},
          {"calls", integer},
          {"share", number},
          {"eligible", boolean},
          {"reason", text},
          {"served_veer", integer},
          {"served_pg", integer},
          {"fallbacks", integer},
          {"quarantined", boolean},
          {"k_p50", integer},
          {"filtered", boolean},
          {"recall", number},
          {"pg_recall", number},
          {"p95_ms", number},
          {"pg_p95_ms", number}},
         rows::queries}};
}

std::vector<Relation> index_relations() {
    return {
        {"indexes",
         "The indexes in memory, and what they mirror",
         {{"route", text},
          {"mirrors", text},
          {"rows", integer},
          {"dim", integer},
          {"metric", text},
          {"m", integer},
          {"ef_construction", integer},
          {"deleted_slots", integer},
          {"rejected_rows", integer},
          {"missing_rows", integer},
          {"estimated_bytes", integer},
          {"file_bytes", integer},
          {"cached_bytes", integer},
          {"quant", text},
          {"ef_search", text},
          {"bytes", integer},
          {"deleted_share", number},
          {"build_state", text},
          {"build_pct", number},
          {"build_eta_s", number},
          {"snapshot_lsn", text},
          {"rebuilds", integer},
          {"trouble", text}},
         rows::indexes}};
}

/// What traffic's going forward and back rests on.
std::vector<Relation> cutover_relations() {
    return {
        {"gates",
         "What has to be proven before a route's share is raised",
         {{"route", text},
          {"gate", text},
          {"value", number},
          {"bound", number},
          {"threshold", number},
          {"direction", text},
          {"samples", integer},
          {"evidence", number},
          {"verdict", text},
          {"eta_samples", integer},
          {"eta", timestamp}},
         rows::gates},
        {"guards",
         "What takes a route's share back",
         {{"route", text},
          {"guard", text},
          {"kind", text},
          {"value", number},
          {"trip", number},
          {"clear", number},
          {"state", text},
          {"action", text},
          {"trips", integer},
          {"scope", text},
          {"since", timestamp},
          {"trips_24h", integer}},
         rows::guards},
        {"plan",
         "The steps ahead, and what each needs",
         {{"route", text},
          {"step_pct", number},
          {"min_hold_s", integer},
          {"compared_needed", integer},
          {"earliest", timestamp},
          {"obstacle", text}},
         rows::plan},
        {"rules",
         "The [[rule]]s of veer.toml, and how often each has spoken",
         {{"rule", integer},
          {"route", text},
          {"match", text},
          {"effect", text},
          {"hits", integer},
          {"comment", text},
          {"active", boolean},
          {"last_hit", timestamp}},
         rows::rules},
        {"audit",
         "The last decisions, latest first; all of them are in audit.jsonl",
         {{"seq", integer},
          {"ts", timestamp},
          {"actor", text},
          {"via", text},
          {"action", text},
          {"route", text},
          {"version", integer},
          {"from_state", text},
          {"to_state", text},
          {"reason", text},
          {"verdict", text},
          {"prev", text},
          {"from_pct", number},
          {"to_pct", number},
          {"hash", text}},
         rows::audit}};
}

/// What the same searches came to on both engines.
std::vector<Relation> comparison_relations() {
    return {
        {"compare",
         "Searches that both engines answered, and in what the answers differed",
         {{"route", text},          {"sampled", integer},       {"compared", integer},
          {"judged", integer},      {"repeated", integer},      {"shed", integer},
          {"shed_why", text},       {"failed", integer},        {"trouble", text},
          {"excluded", integer},    {"excluded_classes", text}, {"equal", integer},
          {"ties", integer},        {"veer_missed", integer},   {"pg_missed", integer},
          {"both_missed", integer}, {"veer_short", integer},    {"pg_short", integer},
          {"hard", integer},        {"hard_classes", text},     {"overlap", number},
          {"rbo", number},          {"dist_ratio", number},     {"tolerance_matters", integer},
          {"window", text}},
         rows::compare},
        {"recall",
         "Recall of both engines on the compared searches: of all, and by shape and k",
         {{"route", text},
          {"engine", text},
          {"judge", text},
          {"samples", integer},
          {"mean", number},
          {"p10", number},
          {"p1", number},
          {"share_perfect", number},
          {"share_below_50", number},
          {"fingerprint", text},
          {"k", integer},
          {"lo99", number}},
         rows::recall},
        {"latency",
         "Durations: of the same searches on both engines, by shape and k as well, and what "
         "clients waited",
         {{"route", text},
          {"engine", text},
          {"kind", text},
          {"count", integer},
          {"p50_ms", number},
          {"p90_ms", number},
          {"p95_ms", number},
          {"p99_ms", number},
          {"max_ms", number},
          {"fingerprint", text},
          {"k", integer}},
         rows::latency}};
}

std::vector<Relation> mismatch_relations() {
    return {
        {"mismatches",
         "Answers that differed, latest first; REPLAY MISMATCH id compares one again",
         {{"id", integer},
          {"ts", timestamp},
          {"route", text},
          {"fingerprint", text},
          {"class", text},
          {"payload", text},
          {"severity", text},
          {"k", integer},
          {"served_by", text},
          {"judged", boolean},
          {"recall", number},
          {"pg_recall", number},
          {"dist_ratio", number},
          {"ef_search", integer},
          {"ms", number},
          {"pg_ms", number},
          {"applied_lsn", text},
          {"pg_lsn", text},
          {"noise", text}},
         rows::mismatches},
        {"receipts",
         "The last searches one by one: who answered, and why; latest first",
         {{"ts", timestamp},
          {"route", text},
          {"engine", text},
          {"reason", text},
          {"key", text},
          {"role", text},
          {"application", text},
          {"fingerprint", text},
          {"pct", number},
          {"bucket_pct", number},
          {"ms", number},
          {"sampled", boolean}},
         rows::receipts},
        {"ignored",
         "Differences that are not counted for a while, by IGNORE CLASS",
         {{"class", text},
          {"fingerprint", text},
          {"until", timestamp},
          {"reason", text},
          {"by", text},
          {"hits", integer}},
         rows::ignored}};
}

/// What is known of the copy's being right.
std::vector<Relation> copy_relations() {
    return {
        {"replication",
         "How far the copy follows the server",
         {{"slot", text},
          {"state", text},
          {"applied_lsn", text},
          {"server_lsn", text},
          {"lag_bytes", integer},
          {"retained_bytes", integer},
          {"rows_done", integer},
          {"rows_estimated", number},
          {"reason", text},
          {"publication", text},
          {"lag_ms", integer}},
         rows::replication},
        {"copies",
         "How far each table is copied, and for how long still",
         {{"table", text},
          {"state", text},
          {"rows", integer},
          {"rows_expected", number},
          {"bytes", integer},
          {"rows_per_s", number},
          {"seconds_left", number},
          {"reason", text}},
         rows::copies},
        {"verification",
         "What was compared of tables and their copies since the start",
         {{"table", text},
          {"passes", integer},
          {"last_pass", timestamp},
          {"rows", integer},
          {"differences", integer},
          {"repaired", integer},
          {"trouble", text}},
         rows::verification},
        {"golden",
         "Searches kept with exact answers, and how the index answers them",
         {{"route", text},
          {"queries", integer},
          {"exact_fresh", integer},
          {"refills", integer},
          {"measured", integer},
          {"recall", number},
          {"recall_at_most", number},
          {"recall_at_ef", text}},
         rows::golden}};
}

std::vector<Relation> connection_relations() {
    return {
        {"clients",
         "Sessions of clients",
         {{"id", integer},
          {"user", text},
          {"database", text},
          {"state", text},
          {"addr", text},
          {"port", integer},
          {"application_name", text},
          {"tls", boolean},
          {"connect_time", timestamp},
          {"unsent_bytes", integer},
          {"last_engine", text},
          {"last_reason", text},
          {"last_route", text},
          {"last_ms", number},
          {"route_override", text},
          {"key", text}},
         rows::clients},
        {"servers",
         "Sessions of Postgres, one for each client",
         {{"user", text},
          {"database", text},
          {"addr", text},
          {"port", integer},
          {"remote_pid", integer},
          {"tls", boolean},
          {"link", integer}},
         rows::servers},
        {"pools",
         "Sessions by database and user",
         {{"database", text},
          {"user", text},
          {"cl_active", integer},
          {"cl_idle", integer},
          {"sv_active", integer},
          {"pool_mode", text}},
         rows::pools},
        {"hosts",
         "The servers of [upstream] dsn",
         {{"host", text}, {"port", integer}, {"role", text}},
         rows::hosts},
        {"lists", "How many there are of what", {{"list", text}, {"items", integer}}, rows::lists},
        {"stats",
         "Searches by who answered them, since the start",
         {{"route", text}, {"total", integer}, {"veer", integer}, {"postgres", integer}},
         rows::stats},
        {"mem",
         "Memory that is accounted for",
         {{"name", text}, {"bytes", integer}},
         rows::memory}};
}

std::vector<Relation> process_relations() {
    return {
        {"config",
         "Keys of veer.toml: what holds, what the file says, and when that takes effect",
         {{"key", text},
          {"value", text},
          {"file_value", text},
          {"default", text},
          {"applies", text},
          {"pending", boolean},
          {"source", text}},
         rows::config},
        {"version",
         "This veer",
         {{"version", text}, {"started", timestamp}, {"uptime_s", integer}, {"panic", boolean}},
         rows::version},
        {"tables", "What can be shown", {{"table", text}, {"about", text}}, rows::tables},
        {"help", "What can be said here", {{"command", text}, {"does", text}}, rows::help}};
}

std::vector<Relation> make_relations() {
    std::vector<Relation> all = traffic_relations();
    for (std::vector<Relation> more :
         {index_relations(),
          cutover_relations(),
          comparison_relations(),
          mismatch_relations(),
          copy_relations(),
          connection_relations(),
          process_relations()}) {
        std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    return all;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> other_names{{
    {"history", "audit"},
    {"lag", "replication"},
    {"sync", "replication"},
    {"databases", "hosts"},
    {"memory", "mem"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 1> absent{{
    {"doctor", "it asks the server: SHOW DOCTOR, or veer doctor on the command line"},
}};

}  // namespace

std::span<const Relation> relations() {
    static const std::vector<Relation> all = make_relations();
    return all;
}

const Relation* find_relation(std::string_view name) {
    for (const auto& [other, meant] : other_names) {
        name = name == other ? meant : name;
    }
    const auto all = relations();
    const auto found = std::find_if(all.begin(), all.end(), [name](const Relation& each) {
        return each.name == name;
    });
    return found == all.end() ? nullptr : &*found;
}

std::uint32_t oid_of(const Relation& relation) {
    return first_oid + static_cast<std::uint32_t>(&relation - relations().data());
}

const Relation* relation_of_oid(std::uint32_t oid) {
    const auto all = relations();
    return oid >= first_oid && oid - first_oid < all.size() ? &all[oid - first_oid] : nullptr;
}

std::optional<std::string_view> why_absent(std::string_view name) {
    for (const auto& [missing, why] : absent) {
        if (missing == name) {
            return why;
        }
    }
    return std::nullopt;
}

}  // namespace veer::proxy::admin
