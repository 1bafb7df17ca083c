#include "router/router.hpp"

#include "parser/explain.hpp"
#include "router/progress.hpp"
#include "router/session_facts.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

namespace veer::router {

namespace {

constexpr std::string_view panic_reason = "panic: all traffic goes to Postgres";

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

/// Empty where it is not known.
std::string seconds_text(const std::optional<cutover::Duration>& duration) {
    using Seconds = std::chrono::duration<double>;
    return duration.has_value() ? percent_text(Seconds(*duration).count()) : std::string();
}

cutover::Policy policy(const config::Config& config) {
    return {.cutover = config.cutover, .gates = config.gates, .guards = config.guards};
}

/// A row of SHOW veer.routes that is of no route.
std::vector<std::string> row_without_route(const std::string& table, const Progress& progress) {
    std::vector<std::string> row(Router::route_columns().size());
    row[1] = table;
    row[4] = progress.state;
    row[5] = percent_text(progress.percent);
    row[6] = row[7] = row[8] = row[9] = row[11] = "0";
    row[10] = progress.reason;
    return row;
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

std::optional<Statement> Router::read_explained(std::string_view text) {
    const auto position = parser::explained_position(text);
    return position ? std::optional(read(text.substr(*position))) : std::nullopt;
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
    table->rules = control_.rules();
    table->hint_roles = config_.cutover.hint_roles;
    for (const index::IndexedColumn& column : generation.columns) {
        table->routes.push_back(make_route(column, generation.database));
    }
    // Tables come in any order.
    std::sort(
        table->routes.begin(),
        table->routes.end(),
        [](const Route& left, const Route& right) { return left.name < right.name; }
    );
    std::set<std::string> live;
    for (const Route& route : table->routes) {
        if (route.live()) {
            live.insert(route.name);
        }
    }
    control_.set_live(live);
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
    route.freshness = config_.defaults.freshness;
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
            route.freshness = configured.freshness;
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
        "route",   "table",   "column",    "operator", "state",    "progress",  "rows",
        "percent", "veer",    "postgres",  "reason",   "memory",   "graph",     "cutover",
        "desired", "allowed", "effective", "why",      "revision", "freshness", "lag_seconds"};
    return columns;
}

std::string Router::reason_of(const Route& route, const std::string& of_all) const {
    if (panic()) {
        return std::string(panic_reason);
    }
    if (!route.column.refused.empty()) {
        return route.column.refused;
    }
    return of_all.empty() ? route.column.index->upkeep_trouble() : of_all;
}

std::vector<std::vector<std::string>> Router::describe_routes() {
    const auto table = routes();
    const storage::sync::Status status = replica_.status();
    const std::vector<cutover::RouteView> views = control_.routes();
    std::vector<std::vector<std::string>> rows;
    for (const Route& route : table->routes) {
        cutover::RouteView view;
        for (const cutover::RouteView& each : views) {
            view = each.route == route.name ? each : view;
        }
        const Progress progress = progress_of(status, route.table().oid, route.live());
        rows.push_back(
            {route.name,
             route.table().schema + '.' + route.table().name,
             route.vector_column().name,
             route.column.ann.operator_name,
             route.column.refused.empty() ? progress.state : "refused",
             percent_text(progress.percent),
             std::to_string(route.column.index->live_rows()),
             percent_text(view.desired),
             std::to_string(view.veer),
             std::to_string(view.postgres),
             reason_of(route, progress.reason),
             std::to_string(route.column.index->memory_bytes()),
             graph_of(route),
             std::string(to_string(view.state)),
             percent_text(view.desired),
             percent_text(view.allowed),
             percent_text(view.effective),
             view.why,
             std::to_string(view.revision),
             to_string(route.freshness),
             seconds_text(view.lag)}
        );
    }
    add_other_tables(*table, status, rows);
    return rows;
}

/// Tables that have no route, or none yet; without any table, what holds up all of them.
void Router::add_other_tables(
    const RouteTable& table,
    const storage::sync::Status& status,
    std::vector<std::vector<std::string>>& rows
) const {
    for (const storage::sync::TableStatus& other : status.tables) {
        const bool listed =
            std::any_of(table.routes.begin(), table.routes.end(), [&](const Route& route) {
                return route.table().oid == other.oid;
            });
        if (!listed) {
            Progress progress = progress_of(status, other, false);
            if (panic()) {
                progress.reason = panic_reason;
            }
            rows.push_back(row_without_route(other.name, progress));
        }
    }
    if (rows.empty()) {
        rows.push_back(
            row_without_route("", {std::string(to_string(status.phase)), 0, status.reason})
        );
    }
}

}  // namespace veer::router
