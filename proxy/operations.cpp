#include "proxy/operations.hpp"

#include "config/keys.hpp"
#include "config/quantity.hpp"
#include "router/progress.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace veer::proxy {

namespace {

using admin::Command;
using Verb = admin::Command::Verb;

void add_traffic(const std::vector<router::cutover::RouteView>& views, admin::RouteFacts& facts) {
    for (const router::cutover::RouteView& view : views) {
        if (view.route == facts.name) {
            facts.desired_percent = view.desired;
            facts.effective_percent = view.effective;
            facts.why = view.why;
            facts.version = static_cast<std::int64_t>(view.revision);
            if (view.origin != router::cutover::Origin::file) {
                facts.source = std::string(to_string(view.origin));
            }
        }
    }
}

/// Nothing for what is no matter of the cutover.
std::optional<router::cutover::Verb> cutover_verb(Verb verb) {
    using To = router::cutover::Verb;
    switch (verb) {
        case Verb::panic:
            return To::panic;
        case Verb::unpanic:
            return To::unpanic;
        case Verb::set_traffic:
        case Verb::promote:
            return To::promote;
        case Verb::observe:
            return To::observe;
        case Verb::shadow:
            return To::shadow;
        case Verb::rollback:
            return To::rollback;
        case Verb::rollback_all:
            return To::rollback_all;
        case Verb::hold:
            return To::hold;
        case Verb::resume:
            return To::resume;
        case Verb::complete:
            return To::complete;
        case Verb::reopen:
            return To::reopen;
        case Verb::confirm:
            return To::confirm;
        case Verb::acknowledge:
            return To::acknowledge;
        case Verb::undo:
            return To::undo;
        case Verb::reload:
        case Verb::verify:
        case Verb::drill:
            break;
    }
    return std::nullopt;
}

std::int64_t microseconds_since_1970(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::int64_t microseconds_since_1970() {
    return microseconds_since_1970(std::chrono::system_clock::now());
}

/// A line for each table, and one for each of its rows that differ.
std::vector<admin::Row> to_rows(const std::vector<storage::sync::TableVerdict>& verdicts) {
    std::vector<admin::Row> rows;
    const auto number = [](std::uint64_t value) {
        return admin::Value(static_cast<std::int64_t>(value));
    };
    for (const storage::sync::TableVerdict& verdict : verdicts) {
        const char* const whole = verdict.trouble.empty() ? "equal" : "not compared";
        rows.push_back(
            {verdict.name,
             std::string(verdict.differences > 0 ? "different" : whole),
             verdict.trouble,
             number(verdict.rows),
             number(verdict.differences),
             number(verdict.repaired)}
        );
        for (const std::string& row : verdict.named) {
            rows.push_back({verdict.name, std::string("row"), row, {}, {}, {}});
        }
    }
    return rows;
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
        .last_ms = facts.last_ms};
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
    facts.dead_slots = built.dead_slots();
    facts.rejected_rows = built.rejected();
    facts.missing_rows = built.missing_rows();
    facts.memory_bytes = index::memory_estimate(facts.rows + facts.dead_slots, options);
}

admin::Outcome to_outcome(const router::cutover::Reply& reply) {
    if (!reply.done && reply.code != "no_change") {
        return admin::Failure{
            .sqlstate = "F0000",
            .message = reply.message + " (" + reply.code + ")",
            .hint = reply.next_step};
    }
    const auto next = reply.next_step.empty() ? admin::Value{} : admin::Value(reply.next_step);
    return std::vector<admin::Row>{
        {reply.message, static_cast<std::int64_t>(reply.revision), next}};
}

admin::Outcome to_outcome(const Drills::Wanted& wanted, const Drills::Drilled& drilled) {
    if (!drilled.reply.done) {
        return to_outcome(drilled.reply);
    }
    const router::cutover::DrillFindings& found = drilled.findings;
    const auto milliseconds = [](const auto& duration) {
        return duration ? admin::Value(static_cast<double>(duration->count()) / 1000)
                        : admin::Value{};
    };
    const auto count = [](std::uint64_t value) {
        return admin::Value(static_cast<std::int64_t>(value));
    };
    const auto& take = drilled.look.would_take;
    return std::vector<admin::Row>{
        {wanted.route,
         std::string(to_string(wanted.fault)),
         std::string(to_string(found.outcome)),
         drilled.look.guard.empty() ? admin::Value{} : admin::Value(drilled.look.guard),
         count(drilled.look.answers),
         milliseconds(found.share_zero),
         milliseconds(found.confirmed),
         take ? admin::Value(std::int64_t{take->count()}) : admin::Value{},
         count(found.diverted),
         count(found.late),
         count(found.fallbacks),
         count(found.client_errors)}};
}

/// Is the share from its own [[route]]?
bool is_configured(const config::Config& config, const router::Route& route) {
    const config::ColumnName column{
        .schema = route.table().schema,
        .table = route.table().name,
        .column = route.vector_column().name};
    return std::any_of(config.routes.begin(), config.routes.end(), [&](const config::Route& each) {
        return each.column == column && each.operator_name == route.column.ann.operator_name;
    });
}

}  // namespace

ProcessOperations::ProcessOperations(Parts parts)
    : parts_(std::move(parts)), started_at_(microseconds_since_1970()) {}

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
        .now = microseconds_since_1970(),
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
    add_routes(snapshot);
    add_reasons(snapshot);
    add_golden(snapshot);
    add_config(snapshot);
    return snapshot;
}

void ProcessOperations::add_routes(admin::Snapshot& snapshot) const {
    const auto table = parts_.router.routes();
    const storage::sync::Status status = parts_.replica.status();
    const config::Config config = parts_.config.state().current;
    const std::vector<router::cutover::RouteView> views = parts_.router.control().routes();
    for (const router::Route& route : table->routes) {
        const router::Progress progress =
            router::progress_of(status, route.table().oid, route.live());
        admin::RouteFacts facts{
            .name = route.name,
            .database = table->database,
            .relation = route.table().schema + '.' + route.table().name,
            .column = route.vector_column().name,
            .operator_name = route.column.ann.operator_name,
            .state = progress.state,
            .source = is_configured(config, route) ? "route" : "defaults",
            .progress_percent = progress.percent,
            .veer = route.traffic->veer.load(),
            .postgres = route.traffic->postgres.load()};
        add_traffic(views, facts);
        if (!route.column.refused.empty()) {
            facts.state = "refused";
            facts.why =
                facts.why.empty() || facts.why == "not_live" ? route.column.refused : facts.why;
            facts.effective_percent = 0;
        } else if (facts.why.empty() && !route.live()) {
            facts.why = progress.reason.empty() ? "the copy is not complete" : progress.reason;
            facts.effective_percent = 0;
        }
        add_index(route.column, facts);
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
        auto& reasons = route == snapshot.routes.end() ? snapshot.reasons : route->reasons;
        reasons.push_back(
            {.reason = std::move(entry.reason),
             .engine = std::move(entry.engine),
             .calls = entry.calls}
        );
    }
}

void ProcessOperations::add_golden(admin::Snapshot& snapshot) const {
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
        snapshot.golden.push_back(std::move(facts));
    }
}

void ProcessOperations::add_config(admin::Snapshot& snapshot) const {
    const LiveConfig::State state = parts_.config.state();
    const config::Config defaults;
    for (const config::Key& key : config::keys()) {
        const config::Config& running = key.restart_required ? state.started : state.current;
        snapshot.config.push_back(
            {.key = std::string(key.table) + '.' + std::string(key.name),
             .value = config::to_string(key.get(running)),
             .file_value = config::to_string(key.get(state.current)),
             .default_value = config::to_string(key.get(defaults)),
             .restart = key.restart_required}
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

/// Routes are named in full, or by their relation or its name where that is one route's only.
std::string ProcessOperations::route_named(const std::string& name) const {
    std::string found = name;
    std::size_t fitting = 0;
    for (const router::Route& route : parts_.router.routes()->routes) {
        const std::string relation = route.table().schema + '.' + route.table().name;
        if (route.name == name) {
            return name;
        }
        if (relation == name || route.table().name == name ||
            relation + '.' + route.vector_column().name == name) {
            found = route.name;
            ++fitting;
        }
    }
    return fitting == 1 ? found : name;
}

void ProcessOperations::move(
    const Command& command, const admin::Actor& actor, std::function<void(admin::Outcome)> done
) {
    const auto verb = cutover_verb(command.verb);
    const std::optional<std::chrono::milliseconds> duration =
        config::parse_duration(command.duration);
    if (!verb || (!command.duration.empty() && !duration)) {
        done(admin::Failure{
            .sqlstate = "22023",
            .message = "\"" + command.duration + "\" is no duration",
            .hint = "FOR takes a whole number and a unit, such as 10m."});
        return;
    }
    const router::cutover::Command asked{
        .verb = *verb,
        .route = command.route.empty() ? std::string() : route_named(command.route),
        .percent = command.percent,
        .lasting = duration,
        .reason = command.reason,
        .typed = command.route};
    const auto expected = command.version
                              ? std::optional(static_cast<std::uint64_t>(*command.version))
                              : std::nullopt;
    parts_.router.control().apply(
        asked,
        expected,
        {.name = actor.name, .via = actor.via},
        parts_.now(),
        [asked, actor, done = std::move(done)](const router::cutover::Reply& reply) {
            spdlog::warn(
                "{} by {} ({}, {}){}{}: {}",
                to_string(asked.verb),
                actor.name,
                actor.via,
                actor.peer,
                asked.reason.empty() ? "" : ", because ",
                asked.reason,
                reply.message
            );
            done(to_outcome(reply));
        }
    );
}

admin::Outcome ProcessOperations::reload() {
    const LiveConfig::Changes changes = parts_.config.reload();
    if (changes.has_error()) {
        return admin::Failure{
            .sqlstate = "F0000",
            .message = "nothing changed: " + changes.error(),
            .hint = "veer check-config reads the file without using it."};
    }
    std::vector<admin::Row> rows;
    for (const config::Change& change : *changes) {
        rows.push_back(
            {change.key,
             change.before,
             change.after,
             std::string(change.restart_required ? "restart" : "now")}
        );
    }
    return rows;
}

/// By a route, or by its own name.
std::optional<storage::TableOid> ProcessOperations::table_named(const std::string& name) const {
    const std::string full = route_named(name);
    for (const router::Route& route : parts_.router.routes()->routes) {
        if (route.name == full || route.table().schema + '.' + route.table().name == name) {
            return route.table().oid;
        }
    }
    for (const storage::sync::TableStatus& table : parts_.replica.status().tables) {
        if (table.name == name) {
            return table.oid;
        }
    }
    return std::nullopt;
}

void ProcessOperations::verify(const Command& command, std::function<void(admin::Outcome)> done) {
    storage::sync::VerifyRequest request{.table = {}, .rows_per_second = command.rate};
    if (!command.route.empty()) {
        request.table = table_named(command.route);
        if (!request.table) {
            done(admin::Failure{
                .sqlstate = "42704",
                .message = "there is no route \"" + command.route + "\"",
                .hint = "SHOW ROUTES lists them."});
            return;
        }
    }
    parts_.syncer.verify(
        request,
        [done = std::move(done)](const std::vector<storage::sync::TableVerdict>& verdicts) {
            done(to_rows(verdicts));
        }
    );
}

void ProcessOperations::drill(
    const Command& command, const admin::Actor& actor, std::function<void(admin::Outcome)> done
) {
    const auto table = parts_.router.routes();
    const auto fault =
        router::cutover::fault_from_text(command.fault.empty() ? "neighbours" : command.fault);
    if (!fault || (command.route.empty() && table->routes.size() != 1)) {
        done(admin::Failure{
            .sqlstate = fault ? "42704" : "22023",
            .message = fault ? "which route is meant?"
                             : "there is no made-up fault \"" + command.fault + "\"",
            .hint =
                fault ? "SHOW ROUTES lists them." : "There are neighbours, wrong, slow and lag."});
        return;
    }
    constexpr std::chrono::seconds grace{5};  // above what the guard on lag waits by its settings
    const Drills::Wanted wanted{
        .route = command.route.empty() ? table->routes.front().name : route_named(command.route),
        .fault = *fault,
        .who = {.name = actor.name, .via = actor.via},
        .reason = command.reason,
        .notice_max = parts_.config.state().current.guards.lag_for + grace};
    parts_.drills.begin(wanted, [wanted, done = std::move(done)](const Drills::Drilled& drilled) {
        done(to_outcome(wanted, drilled));
    });
}

void ProcessOperations::carry_out(
    const Command& command, const admin::Actor& actor, std::function<void(admin::Outcome)> done
) {
    if (command.verb == Verb::verify) {
        verify(command, std::move(done));
        return;
    }
    if (command.verb == Verb::drill) {
        drill(command, actor, std::move(done));
        return;
    }
    if (command.verb != Verb::reload) {
        move(command, actor, std::move(done));  // waits for nothing: a panic least of all
        return;
    }
    // A reload reads files, which no client's thread may wait for.
    parts_.aside([this, done = std::move(done)] { done(reload()); });
}

}  // namespace veer::proxy
