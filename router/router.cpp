#include "router/router.hpp"

#include "parser/explain.hpp"
#include "parser/function_call.hpp"
#include "router/progress.hpp"
#include "router/rewrite.hpp"
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

std::string source_name(const index::IndexedColumn& column) {
    const storage::Table& table = column.table;
    return table.schema + '.' + table.name + '.' + table.source_of(column.ann);
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

/// How many rows do not parse; empty where there is nothing to be parsed.
std::string unparsable_text(const Route& route) {
    const auto& sources = route.column.sources;
    return sources == nullptr ? std::string() : std::to_string(sources->counts().unparsable);
}

/// In percent; empty where there is no legacy column.
std::string migrated_text(const Route& route) {
    if (route.column.sources == nullptr || !route.column.ann.legacy) {
        return {};
    }
    return percent_text(
        index::migrated_percent(route.column.sources->counts(), route.column.index->live_rows())
    );
}

/// A sentence, or nothing where every row parses.
std::string why_unparsable(const Route& route) {
    if (route.column.sources == nullptr) {
        return {};
    }
    const index::SourceCensus::Counts counts = route.column.sources->counts();
    if (counts.unparsable == 0) {
        return {};
    }
    return "Rows that hold no vector of its dimensions: " + std::to_string(counts.unparsable) +
           "; " + (route.skips_unparsable ? "they are skipped." : "Postgres answers.");
}

/// Empty where it is not known.
std::string seconds_text(const std::optional<cutover::Duration>& duration) {
    using Seconds = std::chrono::duration<double>;
    return duration.has_value() ? percent_text(Seconds(*duration).count()) : std::string();
}

/// The names that statements have given it; mostly none.
std::string declared_as(const RouteTable& table, const Route& route) {
    std::string names;
    for (const Declaration& each : table.declared) {
        if (is_about(each, route.table(), route.column.ann)) {
            names += (names.empty() ? "" : ", ") + each.name;
        }
    }
    return names;
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
    row[6] = row[7] = row[8] = row[9] = row[11] = row[23] = row[24] = "0";
    row[10] = progress.reason;
    return row;
}

}  // namespace

Router::Router(const config::Config& config, const index::Replica& replica)
    : replica_(replica), config_(config), routes_(std::make_shared<const RouteTable>()) {
    ledger_.set_keep(config.compare.keep);
    control_.configure(policy(config), config.rules);
    keep_function_names(config);
}

void Router::configure(const config::Config& config) {
    ledger_.set_keep(config.compare.keep);
    const std::lock_guard lock(mutex_);
    config_ = config;
    keep_function_names(config);
    control_.configure(policy(config), config.rules);
    generation_.reset();
}

bool Router::may_be_search(std::string_view text) const {
    if (parser::mentions_distance_operator(text)) {
        return true;
    }
    const Names& names = *function_names_.load(std::memory_order_acquire);
    return std::any_of(names.begin(), names.end(), [text](const std::string& name) {
        return parser::mentions_call(text, name);
    });
}

/// Requires the mutex, or that no session is there yet.
void Router::keep_function_names(const config::Config& config) {
    Names names;
    for (const config::Route& route : config.routes) {
        for (const config::FunctionName& function : route.functions) {
            names.push_back(function.name);
        }
    }
    if (names_.empty() || names_.back() != names) {
        function_names_.store(&names_.emplace_back(std::move(names)), std::memory_order_release);
    }
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
    const std::uint64_t declared = declarations_ == nullptr ? 0 : declarations_->revision();
    const bool anew = (generation != generation_ || reshuffled) && generation != nullptr;
    if (anew || declared != declared_) {
        reshuffles_ = control_.reshuffles();
        declared_ = declared;
        routes_ = build(generation.get());
        generation_ = std::move(generation);
    }
    return routes_;
}

/// Without a copy there is only what is to be copied.
std::shared_ptr<const RouteTable> Router::build(const index::Generation* generation) {
    auto table = std::make_shared<RouteTable>();
    if (declarations_ != nullptr) {
        table->declared = *declarations_->all();
    }
    if (generation == nullptr) {
        return table;
    }
    table->database = generation->database;
    table->rules = control_.rules();
    table->hint_roles = config_.cutover.hint_roles;
    for (const index::IndexedColumn& column : generation->columns) {
        table->routes.push_back(make_route(column, generation->database, table->declared));
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

Route Router::make_route(
    const index::IndexedColumn& column,
    const std::string& database,
    const std::vector<Declaration>& declared
) {
    Route route;
    route.name = source_name(column) + ' ' + column.ann.operator_name;
    route.column = column;
    route.compare_rate = config_.compare.rate;
    const bool asked_for =
        std::any_of(declared.begin(), declared.end(), [&column](const Declaration& each) {
            return is_about(each, column.table, column.ann);
        });
    // Who makes an index by a statement means it to be used.
    double percent = asked_for ? 100 : config_.defaults.percent;
    using ShareOf = cutover::Control::ShareOf;
    ShareOf by = !asked_for ? ShareOf::file
                 : column.ann.method.empty() || column.ann.method.starts_with("veer")
                     ? ShareOf::statement
                     : ShareOf::statement_beside;
    std::string_view sticky_by = config_.defaults.sticky_by;
    route.freshness = config_.defaults.freshness;
    route.salt = config_.defaults.salt.empty() ? route.name : config_.defaults.salt;
    for (const config::Route& configured : config_.routes) {
        if (is_about(configured, column.table, column.ann)) {
            route.skips_unparsable = configured.skips_unparsable;
            route.searched_whole = configured.searched_whole;
            route.compare_rate = configured.compare_rate;
            if (configured.percent_given || !asked_for) {
                percent = configured.percent;
                by = ShareOf::file;
            }
            sticky_by = configured.sticky_by;
            route.freshness = configured.freshness;
            route.order_by_similarity = configured.order_by_similarity;
            route.tie_breakers = configured.tie_breakers;
            if (configured.learns_ef) {
                route.recall_target = configured.recall_target;
            }
            if (configured.visits_max > 0) {
                route.visits_max = configured.visits_max;
            }
            route.functions = configured.functions;
            if (make_candidate_ && !configured.engine.empty()) {
                route.candidate = make_candidate_(configured, column);
            }
            route.salt = configured.salt.empty() ? route.name : configured.salt;
        }
    }
    route.traffic = control_.adopt(route.name, percent, by);
    route.salt += control_.salt_suffix(route.name);
    route.sticky_by = sticky_by_from_text(sticky_by);
    route.facts_query = facts_query(route, database);
    route.tally = ledger_.tally(route.name);
    return route;
}

const std::vector<std::string>& Router::route_columns() {
    static const std::vector<std::string> columns = {
        "route",      "table",    "column",    "operator", "state",    "progress",  "rows",
        "percent",    "veer",     "postgres",  "reason",   "memory",   "graph",     "cutover",
        "desired",    "allowed",  "effective", "why",      "revision", "freshness", "lag_seconds",
        "unparsable", "migrated", "file",      "cached",   "ef",       "declared"};
    return columns;
}

std::string Router::reason_of(const Route& route, const std::string& of_all) const {
    if (panic()) {
        return std::string(panic_reason);
    }
    if (!route.column.refused.empty()) {
        return route.column.refused;
    }
    if (!of_all.empty()) {
        return of_all;
    }
    const std::string unparsable = why_unparsable(route);
    return unparsable.empty() ? route.column.index->upkeep_trouble() : unparsable;
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
        const index::FileBytes file = route.column.index->file_bytes();
        rows.push_back(
            {route.name,
             route.table().schema + '.' + route.table().name,
             route.source(),
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
             seconds_text(view.lag),
             unparsable_text(route),
             migrated_text(route),
             std::to_string(file.stored),
             std::to_string(file.cached),
             route.recall_target ? std::to_string(route.ef(40, false)) : "",
             declared_as(*table, route)}
        );
    }
    add_declared(*table, status, rows);
    add_other_tables(*table, status, rows);
    return rows;
}

/// What statements have declared and the copy does not have: not yet, or it cannot be.
void Router::add_declared(
    const RouteTable& table,
    const storage::sync::Status& status,
    std::vector<std::vector<std::string>>& rows
) {
    for (const Declaration& each : table.declared) {
        const bool copied =
            std::any_of(table.routes.begin(), table.routes.end(), [&each](const Route& route) {
                return is_about(each, route.table(), route.column.ann);
            });
        if (copied) {
            continue;
        }
        const std::string name = each.schema + '.' + each.table;
        Progress progress{"waiting", 0, "There is no such table, or it is to be copied."};
        for (const storage::sync::TableStatus& other : status.tables) {
            if (other.name == name || other.name.starts_with(name + " route " + each.column)) {
                progress = progress_of(status, other, false);
            }
        }
        std::vector<std::string> row = row_without_route(name, progress);
        row[0] = route_name(each);
        row[2] = each.column;
        row[3] = each.operator_name;
        row.back() = each.name;
        rows.push_back(std::move(row));
    }
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
