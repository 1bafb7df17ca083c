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
          {"postgres", integer}},
         rows::routes},
        {"reasons",
         "Why searches went where they went, counted since the start",
         {{"route", text},
          {"engine", text},
          {"reason", text},
          {"calls", integer},
          {"share", number}},
         rows::reasons},
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
          {"estimated_bytes", integer}},
         rows::indexes}};
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
          {"reason", text}},
         rows::replication},
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
          {"recall_at_most", number}},
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
          {"last_ms", number}},
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
          {"pending", boolean}},
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
         {copy_relations(), connection_relations(), process_relations()}) {
        std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    return all;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> other_names{{
    {"lag", "replication"},
    {"sync", "replication"},
    {"databases", "hosts"},
    {"memory", "mem"},
}};

constexpr std::string_view no_cutover = "this veer has no cutover states, gates and guards yet";
constexpr std::string_view no_comparison = "this veer does not compare answers yet";
constexpr std::string_view not_counted = "this veer does not count it yet";

constexpr std::array<std::pair<std::string_view, std::string_view>, 11> absent{{
    {"gates", no_cutover},
    {"guards", no_cutover},
    {"rules", no_cutover},
    {"audit", no_cutover},
    {"compare", no_comparison},
    {"recall", no_comparison},
    {"mismatches", no_comparison},
    {"latency", not_counted},
    {"queries", not_counted},
    {"receipts", not_counted},
    {"doctor", "run veer doctor on the command line"},
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
