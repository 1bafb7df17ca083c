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
}

void Router::configure(const config::Config& config) {
    ledger_.set_keep(config.compare.keep);
    const std::lock_guard lock(mutex_);
    config_ = config;
    generation_.reset();
}

bool may_be_search(std::string_view text) {
    return parser::mentions_distance_operator(text);
}

Statement Router::read(std::string_view text) {
    Statement statement{
        .text = std::string(text), .normalised = parser::normalise(text), .plan = {}};
    statement.plan = plans_.plan(statement.normalised.text);
    return statement;
}

std::shared_ptr<const RouteTable> Router::routes() {
    auto generation = replica_.generation();
    const std::lock_guard lock(mutex_);
    if (generation != generation_ && generation != nullptr) {
        routes_ = build(*generation);
        generation_ = std::move(generation);
    }
    return routes_;
}

std::shared_ptr<const RouteTable> Router::build(const index::Generation& generation) {
    auto table = std::make_shared<RouteTable>();
    table->database = generation.database;
    table->live = generation.live;
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
    route.percent = config_.defaults.percent;
    route.compare_rate = config_.compare.rate;
    route.salt = config_.defaults.salt.empty() ? route.name : config_.defaults.salt;
    const config::ColumnName served{
        .schema = column.table.schema,
        .table = column.table.name,
        .column = route.vector_column().name};
    for (const config::Route& configured : config_.routes) {
        if (configured.column == served && configured.operator_name == column.ann.operator_name) {
            route.percent = configured.percent;
            route.compare_rate = configured.compare_rate;
            route.salt = configured.salt.empty() ? route.name : configured.salt;
        }
    }
    route.facts_query = facts_query(route, database);
    auto& counters = counters_[route.name];
    if (counters == nullptr) {
        counters = std::make_shared<RouteCounters>();
    }
    route.counters = counters;
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
        "graph"};
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
    std::vector<std::vector<std::string>> rows;
    for (const Route& route : table->routes) {
        rows.push_back(
            {route.name,
             route.table().schema + '.' + route.table().name,
             route.vector_column().name,
             route.column.ann.operator_name,
             route.column.refused.empty() ? state : "refused",
             percent_text(progress_percent(status)),
             std::to_string(route.column.index->live_rows()),
             percent_text(route.percent),
             std::to_string(route.counters->veer.load()),
             std::to_string(route.counters->postgres.load()),
             reason_of(route, status.reason),
             std::to_string(route.column.index->memory_bytes()),
             graph_of(route)}
        );
    }
    if (rows.empty()) {
        rows.push_back(
            {"",
             "",
             "",
             "",
             state,
             percent_text(progress_percent(status)),
             "0",
             percent_text(0),
             "0",
             "0",
             status.reason,
             "0",
             ""}
        );
    }
    return rows;
}

}  // namespace veer::router
