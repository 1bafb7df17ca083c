#include "router/router.hpp"

#include "router/session_facts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace veer::router {

namespace {

std::string column_name(const index::IndexedColumn& column) {
    const storage::Table& table = column.table;
    return table.schema + '.' + table.name + '.' + table.columns[table.vectors[column.vector]].name;
}

/// Where the graph came from, and what became of it since.
std::string graph_of(const Route& route) {
    const index::RouteIndex& index = *route.column.index;
    std::string text = "built";
    if (const auto restored = index.restored()) {
        text = "checkpoint, " + std::to_string(restored->other) + " of " +
               std::to_string(restored->rows + restored->other) + " rows linked anew";
    }
    if (const std::uint64_t rebuilds = index.rebuilds(); rebuilds > 0) {
        text += ", rebuilt " + std::to_string(rebuilds) + " times";
    }
    return text;
}

std::string percent_text(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", value);
    return buffer;
}

cutover::Policy policy(const config::Config& config) {
    return {.cutover = config.cutover, .gates = config.gates, .guards = config.guards};
}

double progress_percent(const storage::sync::Status& status) {
    if (status.phase == storage::sync::Phase::streaming) {
        return 100;
    }
    if (status.rows_estimated <= 0) {
        return 0;
    }
    const double share = static_cast<double>(status.rows_done) / status.rows_estimated;
    return std::floor(std::min(99.0, 100.0 * share));
}

}  // namespace

Router::Router(const config::Config& config, const index::Replica& replica)
    : replica_(replica), config_(config), routes_(std::make_shared<const RouteTable>()) {
    ledger_.set_keep(config.compare.keep);
    control_.configure(policy(config), config.rules);
}

void Router::configure(const config::Config& config) {
    ledger_.set_keep(config.compare.keep);
    const std::lock_guard lock(mutex_);
    config_ = config;
    control_.configure(policy(config), config.rules);
    generation_.reset();
}

bool may_be_search(std::string_view text) {
    return parser::mentions_distance_operator(text);
}

Statement Router::read(std::string_view text) {
    Statement statement{
        .text = std::string(text), .normalised = parser::normalise(text), .plan = {}, .hint = {}};
    Uncommented uncommented = uncomment(statement.normalised.text);
    statement.plan = plans_.plan(uncommented.text);
    statement.hint = std::move(uncommented.hint);
    return statement;
}

std::shared_ptr<const RouteTable> Router::routes() {
    auto generation = replica_.generation();
    const std::lock_guard lock(mutex_);
    const bool reshuffled = reshuffles_ != control_.reshuffles();
    if ((generation != generation_ || reshuffled) && generation != nullptr) {
        reshuffles_ = control_.reshuffles();
        routes_ = build(*generation);
        generation_ = std::move(generation);
    }
    return routes_;
}

std::shared_ptr<const RouteTable> Router::build(const index::Generation& generation) {
    auto table = std::make_shared<RouteTable>();
    table->database = generation.database;
    table->live = generation.live;
    table->rules = control_.rules();
    table->hint_roles = config_.cutover.hint_roles;
    control_.set_live(generation.live);
    for (const index::IndexedColumn& column : generation.columns) {
        table->routes.push_back(make_route(column, generation.database));
    }
    return table;
}

Route Router::make_route(const index::IndexedColumn& column, const std::string& database) {
    Route route;
    const std::string name = column_name(column);
    route.name = name + ' ' + column.ann.operator_name;
    route.column = column;
    route.compare_rate = config_.compare.rate;
    double percent = config_.defaults.percent;
    std::string_view sticky_by = config_.defaults.sticky_by;
    route.salt = config_.defaults.salt.empty() ? route.name : config_.defaults.salt;
    const config::ColumnName served{
        .schema = column.table.schema,
        .table = column.table.name,
        .column = route.vector_column().name};
    for (const config::Route& configured : config_.routes) {
        if (configured.column == served && configured.operator_name == column.ann.operator_name) {
            route.compare_rate = configured.compare_rate;
            percent = configured.percent;
            sticky_by = configured.sticky_by;
            route.salt = configured.salt.empty() ? route.name : configured.salt;
        }
    }
    route.traffic = control_.adopt(route.name, percent);
    route.salt += control_.salt_suffix(route.name);
    route.sticky_by = sticky_by_from_text(sticky_by);
    route.facts_query = facts_query(route, database);
    route.tally = ledger_.tally(route.name);
    return route;
}

const std::vector<std::string>& Router::route_columns() {
    static const std::vector<std::string> columns = {
        "route",
        "table",
        "column",
        "operator",
        "state",
        "progress",
        "rows",
        "percent",
        "veer",
        "postgres",
        "reason",
        "memory",
        "graph",
        "cutover",
        "desired",
        "allowed",
        "effective",
        "why",
        "revision"};
    return columns;
}

std::string Router::reason_of(const Route& route, const std::string& of_all) const {
    if (panic()) {
        return "panic: all traffic goes to Postgres";
    }
    if (!route.column.refused.empty()) {
        return route.column.refused;
    }
    return of_all.empty() ? route.column.index->upkeep_trouble() : of_all;
}

std::vector<std::vector<std::string>> Router::describe_routes() {
    const auto table = routes();
    const storage::sync::Status status = replica_.status();
    std::string state(to_string(status.phase));
    if (status.phase == storage::sync::Phase::streaming) {
        state = table->live ? "live" : "waiting";
    }
    const std::vector<cutover::RouteView> views = control_.routes();
    std::vector<std::vector<std::string>> rows;
    for (const Route& route : table->routes) {
        cutover::RouteView view;
        for (const cutover::RouteView& each : views) {
            view = each.route == route.name ? each : view;
        }
        rows.push_back(
            {route.name,
             route.table().schema + '.' + route.table().name,
             route.vector_column().name,
             route.column.ann.operator_name,
             route.column.refused.empty() ? state : "refused",
             percent_text(progress_percent(status)),
             std::to_string(route.column.index->live_rows()),
             percent_text(view.desired),
             std::to_string(view.veer),
             std::to_string(view.postgres),
             reason_of(route, status.reason),
             std::to_string(route.column.index->memory_bytes()),
             graph_of(route),
             std::string(to_string(view.state)),
             percent_text(view.desired),
             percent_text(view.allowed),
             percent_text(view.effective),
             view.why,
             std::to_string(view.revision)}
        );
    }
    if (rows.empty()) {
        std::vector<std::string> none(route_columns().size());
        none[4] = state;
        none[5] = percent_text(progress_percent(status));
        none[6] = none[7] = none[8] = none[9] = none[11] = "0";
        none[10] = status.reason;
        rows.push_back(std::move(none));
    }
    return rows;
}

}  // namespace veer::router
