#include "config/keys.hpp"
#include "proxy/copy_facts.hpp"
#include "proxy/operations.hpp"
#include "proxy/traffic_facts.hpp"
#include "router/progress.hpp"
#include "router/remedy.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

// What there is to see.

namespace veer::proxy {

namespace {

std::int64_t microseconds_since_1970(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::string_view metric_name(index::Metric metric) {
    switch (metric) {
        case index::Metric::l2:
            return "l2";
        case index::Metric::cosine:
            return "cosine";
        case index::Metric::inner_product:
            return "inner_product";
        case index::Metric::l1:
            return "l1";
        case index::Metric::hamming:
            return "hamming";
        case index::Metric::jaccard:
            return "jaccard";
    }
    return "";
}

/// As it was asked for; "auto" has codes where they pay.
std::string_view quantization_word(index::Quantization quantization) {
    switch (quantization) {
        case index::Quantization::automatic:
            return "auto";
        case index::Quantization::none:
            return "none";
        case index::Quantization::sq8:
            return "sq8";
    }
    return "";
}

std::string role_word(net::HostRole role) {
    switch (role) {
        case net::HostRole::unknown:
            return "unknown";
        case net::HostRole::unreachable:
            return "unreachable";
        case net::HostRole::unreadable:
            return "unreadable";
        case net::HostRole::primary:
            return "primary";
        case net::HostRole::read_only:
            return "read only";
        case net::HostRole::standby:
            return "standby";
    }
    return "unknown";
}

admin::ClientFacts to_client(const net::SessionFacts& facts) {
    return {
        .number = facts.number,
        .user = facts.user,
        .database = facts.database,
        .application_name = facts.application_name,
        .address = facts.address,
        .port = facts.port,
        .state = std::string(facts.state),
        .tls = facts.tls,
        .connected_at = facts.connected_at,
        .server_address = facts.server_address,
        .server_port = facts.server_port,
        .server_tls = facts.server_tls,
        .server_pid = facts.server_pid,
        .unsent_bytes = facts.unsent_bytes,
        .last_engine = std::string(facts.last_engine),
        .last_reason = facts.last_reason,
        .last_route = facts.last_route,
        .last_ms = facts.last_ms,
        .route_override = facts.route_override,
        .key = facts.key};
}

void add_index(const index::IndexedColumn& column, admin::RouteFacts& facts) {
    const index::RouteIndex& built = *column.index;
    const index::IndexOptions& options = built.options();
    facts.rows = built.live_rows();
    facts.dimensions = options.dimensions;
    facts.metric = metric_name(options.metric);
    facts.m = options.m;
    facts.ef_construction = options.ef_construction;
    facts.upstream_index = column.ann.name;
    facts.quantization = quantization_word(options.quantization);
    facts.dead_slots = built.dead_slots();
    facts.rejected_rows = built.rejected();
    facts.missing_rows = built.missing_rows();
    facts.rebuilds = built.rebuilds();
    facts.rebuilding = built.rebuilding();
    facts.upkeep_trouble = built.upkeep_trouble();
    facts.memory_bytes = built.memory_bytes();
    const index::FileBytes file = built.file_bytes();
    facts.file_bytes = file.stored;
    facts.cached_bytes = file.cached;
}

/// Is the share from its own [[route]]?
bool is_configured(const config::Config& config, const router::Route& route) {
    return std::any_of(config.routes.begin(), config.routes.end(), [&](const config::Route& each) {
        return router::is_about(each, route.table(), route.column.ann);
    });
}

}  // namespace

ProcessOperations::ProcessOperations(Parts parts)
    : parts_(std::move(parts)),
      started_at_(microseconds_since_1970(std::chrono::system_clock::now())) {}

void ProcessOperations::look(std::function<void(admin::Snapshot)> done) {
    parts_.server.describe(
        [this, done = std::move(done)](const std::vector<net::SessionFacts>& sessions) {
            admin::Snapshot snapshot = gather();
            for (const net::SessionFacts& facts : sessions) {
                snapshot.clients.push_back(to_client(facts));
            }
            std::sort(
                snapshot.clients.begin(),
                snapshot.clients.end(),
                [](const auto& left, const auto& right) { return left.number < right.number; }
            );
            done(std::move(snapshot));
        }
    );
}

admin::Snapshot ProcessOperations::gather() const {
    admin::Snapshot snapshot;
    const net::Shared& shared = parts_.shared;
    snapshot.process = {
        .version = parts_.version,
        .started_at = started_at_,
        .now = microseconds_since_1970(std::chrono::system_clock::now()),
        .panic = parts_.router.panic(),
        .draining = shared.draining.load(),
        .clients = shared.connections.load(),
        .clients_max = shared.connections_max,
        .sockets = shared.sockets.load(),
        .cancels = shared.cancels.load(),
        .unsent_bytes = shared.unsent_bytes.load()};
    const storage::sync::Status status = parts_.replica.status();
    snapshot.replication = {
        .phase = std::string(to_string(status.phase)),
        .reason = status.reason,
        .applied_lsn = to_string(status.applied),
        .rows_done = status.rows_done,
        .rows_estimated = status.rows_estimated,
        .slot = parts_.syncer.slot()};
    snapshot.copies = copy_facts(status);
    for (const storage::sync::VerifiedTable& table : parts_.syncer.verified()) {
        snapshot.verified.push_back(
            {.table = table.name,
             .passes = table.passes,
             .passed_at = microseconds_since_1970(table.passed_at),
             .rows = table.rows,
             .differences = table.differences,
             .repaired = table.repaired,
             .trouble = table.trouble}
        );
    }
    if (const auto look = parts_.feed.last(parts_.now())) {
        const std::uint64_t applied = parts_.replica.applied().value;
        snapshot.replication.server_lsn = to_string(storage::Lsn{look->position});
        snapshot.replication.lag_bytes =
            static_cast<std::int64_t>(look->position - std::min(look->position, applied));
        if (look->wal_retained_bytes) {
            snapshot.replication.retained_bytes =
                static_cast<std::int64_t>(*look->wal_retained_bytes);
        }
    } else {
        snapshot.replication.trouble = "the server has not been asked, or does not answer";
    }
    for (const auto& [host, role] : shared.upstreams.roles()) {
        snapshot.hosts.push_back({.host = host.host, .port = host.port, .role = role_word(role)});
    }
    // First: where a new table of routes is due it is made here, and tells of the shares that it
    // has.
    const auto routes = parts_.router.routes();
    const std::vector<router::cutover::RouteView> views = parts_.router.control().routes();
    add_routes(views, snapshot);
    add_reasons(snapshot);
    add_golden(snapshot);
    add_cutover(
        parts_.router.control(), views, parts_.config.state().current, parts_.now(), snapshot
    );
    const auto shapes = parts_.router.ledger().shapes();
    add_queries(parts_.router.plans(), *routes, shapes, snapshot);
    add_comparisons(parts_.router.ledger(), snapshot);
    add_shapes(shapes, snapshot);
    add_config(snapshot);
    add_receipts(snapshot);
    add_ignored(snapshot);
    return snapshot;
}

void ProcessOperations::add_routes(
    const std::vector<router::cutover::RouteView>& views, admin::Snapshot& snapshot
) const {
    const auto table = parts_.router.routes();
    const storage::sync::Status status = parts_.replica.status();
    const config::Config config = parts_.config.state().current;
    for (const router::Route& route : table->routes) {
        const router::Progress progress =
            router::progress_of(status, route.table().oid, route.live());
        admin::RouteFacts facts{
            .name = route.name,
            .database = table->database,
            .relation = route.table().schema + '.' + route.table().name,
            .column = route.source(),
            .operator_name = route.column.ann.operator_name,
            .state = progress.state,
            .source = is_configured(config, route) ? "route" : "defaults",
            .progress_percent = progress.percent,
            .veer = route.traffic->veer.load(),
            .postgres = route.traffic->postgres.load()};
        add_position(views, facts);
        if (!route.column.refused.empty()) {
            facts.state = "refused";
            facts.why =
                facts.why.empty() || facts.why == "not_live" ? route.column.refused : facts.why;
            facts.effective_percent = 0;
        } else if (facts.why.empty() && !route.live()) {
            facts.why = progress.reason.empty() ? "the copy is not complete" : progress.reason;
            facts.effective_percent = 0;
        } else if (facts.why.empty() && !route.all_parse()) {
            facts.why = router::reason::unparsable;
            facts.effective_percent = 0;
        }
        add_index(route.column, facts);
        const std::uint32_t learned = route.recall_target ? route.traffic->learned_ef.load() : 0;
        facts.ef_search = learned == 0 ? "session" : std::to_string(learned);
        snapshot.routes.push_back(std::move(facts));
    }
}

void ProcessOperations::add_reasons(admin::Snapshot& snapshot) const {
    for (router::ReasonCounts::Entry& entry : parts_.router.reasons().entries()) {
        const auto route = std::find_if(
            snapshot.routes.begin(),
            snapshot.routes.end(),
            [&entry](const admin::RouteFacts& each) { return each.name == entry.route; }
        );
        const std::string_view hint = router::remedy(entry.reason);
        auto& reasons = route == snapshot.routes.end() ? snapshot.reasons : route->reasons;
        reasons.push_back(
            {.reason = std::move(entry.reason),
             .engine = std::move(entry.engine),
             .calls = entry.calls,
             .last = entry.last_ms < 0 ? std::nullopt : std::optional(entry.last_ms * 1000),
             .hint = std::string(hint)}
        );
    }
}

void ProcessOperations::add_golden(admin::Snapshot& snapshot) const {
    const auto curves = parts_.golden.curves();
    for (const auto& [route, summary] : parts_.golden.summaries()) {
        admin::GoldenFacts facts{
            .route = route,
            .searches = summary.searches,
            .fresh = summary.fresh,
            .judged = summary.judged,
            .measured = summary.measured};
        if (summary.measured > 0) {
            facts.recall = summary.recall;
            facts.recall_at_most = summary.recall_at_most;
        }
        if (const auto curve = curves.find(route); curve != curves.end()) {
            facts.recall_at_ef = router::compare::curve_json(curve->second);
        }
        snapshot.golden.push_back(std::move(facts));
    }
}

void ProcessOperations::add_config(admin::Snapshot& snapshot) const {
    const LiveConfig::State state = parts_.config.state();
    const config::Config defaults;
    for (const config::Key& key : config::keys()) {
        const config::Config& running = key.restart_required ? state.started : state.current;
        const std::string name = std::string(key.table) + '.' + std::string(key.name);
        const bool set = std::any_of(
            state.overrides.begin(),
            state.overrides.end(),
            [&name](const config::Override& each) { return each.key == name; }
        );
        const bool said = key.get(state.file) != key.get(defaults);
        snapshot.config.push_back(
            {.key = name,
             .value = config::to_string(key.get(running)),
             .file_value = config::to_string(key.get(state.file)),
             .default_value = config::to_string(key.get(defaults)),
             .restart = key.restart_required,
             .source = set    ? "override"
                       : said ? "file"
                              : "default"}
        );
    }
    for (const config::Route& route : state.current.routes) {
        const std::string value = config::to_string(config::Value(route.percent));
        snapshot.config.push_back(
            {.key = "route " + config::route_name(route) + " percent",
             .value = value,
             .file_value = value}
        );
    }
    snapshot.process.reloads = state.reloads;
    snapshot.process.reloads_refused = state.refused;
    snapshot.process.last_reload_worked = state.last_worked;
}

}  // namespace veer::proxy
