#include "router/decide.hpp"

#include "router/answer.hpp"
#include "router/bucket.hpp"
#include "router/partial_index.hpp"
#include "router/row_filter.hpp"

#include <algorithm>

namespace veer::router {

namespace {

using Kind = parser::OutputColumn::Kind;

constexpr std::int64_t idle_timeout_min_ns = 5'000'000'000;

bool is_key(const storage::Table& table, const std::string& name) {
    return std::any_of(table.key.begin(), table.key.end(), [&](std::size_t position) {
        return table.columns[position].name == name;
    });
}

bool has_column(const storage::Table& table, const std::string& name) {
    return std::any_of(table.columns.begin(), table.columns.end(), [&](const auto& column) {
        return column.name == name;
    });
}

bool inside(double bucket, double percent) {
    return bucket * 100.0 < percent;
}

/// The type that a cast names is the one that it should be; SQL's own bit always is.
bool type_holds(const parser::VectorExpression& vector, const SessionFacts& facts) {
    if (vector.form == parser::VectorExpression::Form::untyped || vector.type_name == "bit") {
        return true;
    }
    return vector.type_schema ? *vector.type_schema == facts.extension_schema : facts.type_visible;
}

/// Of halves, half_condition() tells.
bool type_holds(const parser::ColumnCast& cast, const SessionFacts& facts) {
    if (!cast.to_vector) {
        return true;
    }
    return cast.type_schema ? *cast.type_schema == facts.extension_schema : facts.type_visible;
}

std::optional<Reason> not_the_same_thing(
    const parser::NearestNeighbourQuery& query, const SessionFacts& facts
) {
    if (!facts.table_unchanged) {
        return reason::changed;
    }
    const bool table = query.schema || facts.table_visible;
    const bool operators = query.operator_schema ? *query.operator_schema == facts.extension_schema
                                                 : facts.operator_visible;
    bool types = type_holds(query.vector, facts) && type_holds(query.cast, facts) &&
                 (!query.legacy || type_holds(query.legacy->cast, facts)) &&
                 (!query.reranked || type_holds(query.reranked->vector, facts));
    for (const parser::OutputColumn& output : query.outputs) {
        const bool distance = output.kind == Kind::distance || output.kind == Kind::similarity;
        types = types && (!distance || type_holds(output.vector, facts));
    }
    return table && operators && types ? std::nullopt : std::optional(reason::hidden_name);
}

Reason reason_of(cutover::Cause cause) {
    using cutover::Cause;
    switch (cause) {
        case Cause::panic:
            return reason::panic;
        case Cause::unreadable:
            return reason::state_file;
        case Cause::off:
            return reason::off;
        case Cause::tripped:
            return reason::tripped;
        case Cause::lag:
            return reason::lag;
        case Cause::drill:
            return reason::drill;
        case Cause::none:
        case Cause::stepped_down:
            break;
    }
    return reason::percent;
}

Reason reason_of(cutover::Decided by, cutover::Cause cause) {
    using cutover::Decided;
    switch (by) {
        case Decided::panic:
            return reason::panic;
        case Decided::session_route:
            return reason::session_route;
        case Decided::hint:
            return reason::hint;
        case Decided::rule:
            return reason::rule;
        case Decided::guard:
            return reason_of(cause);
        case Decided::quarantine:
            return reason::quarantined;
        case Decided::ineligible:
        case Decided::forced:
        case Decided::inside:
        case Decided::outside:
            break;
    }
    return reason::percent;
}

/// Empty where the search has nothing of the kind: then the default key counts.
std::string sticky_key(const StickyBy& by, const SessionFacts& facts, const Asked& asked) {
    using By = StickyBy::Kind;
    switch (by.kind) {
        case By::automatic:
            return {};
        case By::role:
            return facts.role;
        case By::application:
            return facts.application;
        case By::session:
            return std::string(asked.session);
        case By::shape:
            return cutover::shape_text(asked.shape);
        case By::tag:
            for (const auto& [name, value] : asked.hint->tags) {
                if (name == by.tag) {
                    return value;
                }
            }
            return {};
    }
    return {};
}

/// A hint's key is more particular than a session's, and both than what the route goes by.
double bucket_of(const Route& route, const SessionFacts& facts, const Asked& asked) {
    if (!asked.hint->key.empty()) {
        return asked.bucket;
    }
    const std::string key =
        facts.key.empty() ? sticky_key(route.sticky_by, facts, asked) : facts.key;
    return key.empty() ? asked.bucket : bucket(route.salt, key);
}

cutover::Ruled ruled(
    const RouteTable& routes, const Route& route, const SessionFacts& facts, const Asked& asked
) {
    if (routes.rules->empty()) {
        return {};
    }
    return routes.rules->rule(
        {.route = route.name,
         .role = facts.role,
         .application = facts.application,
         .database = routes.database,
         .client = asked.client,
         .shape = asked.shape,
         .k = asked.k,
         .filtered = asked.filtered,
         .tags = asked.hint->tags},
        asked.counted
    );
}

cutover::Voices voices(
    const RouteTable& routes, const Route& route, const SessionFacts& facts, const Asked& asked
) {
    const cutover::Ruled rule = ruled(routes, route, facts, asked);
    const auto& roles = routes.hint_roles;
    return {
        .cause = route.traffic->cause(),
        .eligible = true,
        .quarantined = route.traffic->quarantined(asked.shape),
        .session = cutover::voice_from_text(facts.route),
        .hint = asked.hint->route,
        .rule_postgres = rule.postgres,
        .rule_allows_veer = rule.allow_veer,
        .role_allows_veer =
            roles.empty() || std::find(roles.begin(), roles.end(), facts.role) != roles.end(),
        .rule_max_percent = rule.max_percent,
        .share = route.traffic->share(),
        .bucket = bucket_of(route, facts, asked)};
}

/// Of the key or copied, and of a type whose text is the same under every setting.
bool is_written_alike(const storage::Table& table, const std::string& name) {
    const auto plain = [&](std::size_t column) {
        return table.columns[column].name == name && has_plain_text(table.columns[column]);
    };
    return std::any_of(table.key.begin(), table.key.end(), plain) ||
           std::any_of(table.copied.begin(), table.copied.end(), plain);
}

/// Whether this session may have what is asked for of the copied columns, and they still are what
/// they were.
bool copies_suffice(
    const Route& route, const parser::NearestNeighbourQuery& query, const SessionFacts& facts
) {
    const storage::Table& table = route.table();
    std::vector<std::size_t> needed = copied_outputs(table, query);
    if (query.condition) {
        add_columns(*query.condition, table, needed);
    }
    return needed.empty() ||
           (facts.copies_hold && std::all_of(needed.begin(), needed.end(), [&](std::size_t at) {
                return at < facts.copies_readable.size() && facts.copies_readable[at] == 't';
            }));
}

}  // namespace

double first_bucket(
    const Route& route, const Hint& hint, std::string_view shape, const storage::Vector& vector
) {
    return hint.key.empty() ? bucket(route.salt, shape, vector) : bucket(route.salt, hint.key);
}

std::optional<Reason> settled_without_facts(
    const Route& route, const Circumstances& circumstances, const Asked& asked
) {
    const cutover::Traffic& traffic = *route.traffic;
    const cutover::Cause cause = traffic.cause();
    if (cause == cutover::Cause::panic) {
        return reason::panic;
    }
    if (!route.live()) {
        return reason::not_live;
    }
    if (!route.all_parse()) {
        return reason::unparsable;
    }
    if (!circumstances.utf8) {
        return reason::encoding;
    }
    if (circumstances.transaction == 'E') {
        return reason::transaction_failed;
    }
    if (asked.hint->route == cutover::Voice::postgres) {
        return reason::hint;
    }
    if (!traffic.open()) {
        return reason_of(cause);
    }
    if (traffic.quarantined(asked.shape)) {
        return reason::quarantined;
    }
    if (circumstances.settings_touched || asked.hint->route == cutover::Voice::veer) {
        return std::nullopt;
    }
    const bool key_known =
        !asked.hint->key.empty() || route.sticky_by.kind == StickyBy::Kind::automatic;
    const double share = traffic.share();
    const bool outside = share <= 0 || (key_known && !inside(asked.bucket, share));
    return outside ? std::optional(reason::percent) : std::nullopt;
}

std::variant<Service, Reason> decide(
    const RouteTable& routes,
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const SessionFacts& facts,
    const Asked& asked,
    bool complete
) {
    if (const auto why = not_the_same_thing(query, facts)) {
        return *why;
    }
    if (!facts.utf8) {
        return reason::encoding;
    }
    if (facts.wrote) {
        return reason::transaction_wrote;
    }
    if (!facts.read_committed) {
        return reason::isolation;
    }
    if (!facts.permitted) {
        return reason::not_permitted;
    }
    if (facts.row_security) {
        return reason::row_security;
    }
    // Postgres' timers run on while veer answers, for up to as long as facts are kept.
    if (facts.idle_timeout_ns < idle_timeout_min_ns) {
        return reason::idle_timeout;
    }
    if (!facts.index_scans) {
        return reason::exact_requested;
    }
    if (!serves(facts.indexed_rows, asked.told)) {
        return reason::partial_index;
    }
    const cutover::Voices said = voices(routes, route, facts, asked);
    const cutover::Heard heard = cutover::weigh(said);
    if (!heard.veer) {
        return reason_of(heard.by, said.cause);
    }
    const bool local = complete && facts.shortest_floats && answerable_locally(route, query) &&
                       copies_suffice(route, query, facts);
    return local ? Service::local : Service::rewrite;
}

std::optional<Reason> refuse_order(const Route* route, const parser::NearestNeighbourQuery& query) {
    if (query.by_similarity && (route == nullptr || !route->order_by_similarity)) {
        return parser::to_string(parser::Refusal::descending);
    }
    if (query.tie_breakers && (route == nullptr || !route->tie_breakers)) {
        return parser::to_string(parser::Refusal::order_keys);
    }
    return std::nullopt;
}

bool unplaced_rows_lead(const Route& route, const parser::NearestNeighbourQuery& query) {
    if (!query.by_similarity) {
        return false;
    }
    const index::RouteIndex::Unplaced rows = route.column.index->unplaced();
    return rows.zero || (rows.null && !query.nulls_excluded);
}

bool answerable_locally(const Route& route, const parser::NearestNeighbourQuery& query) {
    // Whether distances are equal, and what comes first among equals, is Postgres' to tell.
    if (query.inner_join || query.wrapped || query.cast.to_half || query.tie_breakers ||
        !query.joined.empty() || refuse_order(&route, query)) {
        return false;
    }
    const storage::Table& table = route.table();
    const bool told =
        !query.clauses.condition || (query.condition && evaluable(*query.condition, table));
    return told && std::all_of(query.outputs.begin(), query.outputs.end(), [&](const auto& output) {
               return output.kind == Kind::distance || output.kind == Kind::similarity ||
                      (output.kind == Kind::column && is_written_alike(table, output.column));
           });
}

bool same_output_types(
    const Route& one, const Route& other, const parser::NearestNeighbourQuery& query
) {
    const storage::Table& left = one.table();
    const storage::Table& right = other.table();
    const auto same = [](const storage::Column& mine, const storage::Column& its) {
        return mine.name == its.name && mine.type_oid == its.type_oid && mine.typmod == its.typmod;
    };
    const bool keys = std::equal(
        left.key.begin(),
        left.key.end(),
        right.key.begin(),
        right.key.end(),
        [&](std::size_t a, std::size_t b) { return same(left.columns[a], right.columns[b]); }
    );
    return keys && std::all_of(query.outputs.begin(), query.outputs.end(), [&](const auto& output) {
               if (output.kind != Kind::column || is_key(left, output.column)) {
                   return true;
               }
               const auto mine = copied_position(left, output.column);
               const auto its = copied_position(right, output.column);
               return mine && its &&
                      same(left.columns[left.copied[*mine]], right.columns[right.copied[*its]]);
           });
}

bool same_column_types(const Route& one, const Route& other) {
    const auto& theirs = other.table().columns;
    return std::all_of(
        one.table().columns.begin(),
        one.table().columns.end(),
        [&](const storage::Column& mine) {
            const auto its = std::find_if(theirs.begin(), theirs.end(), [&](const auto& column) {
                return column.name == mine.name;
            });
            return its == theirs.end() || its->type_oid == mine.type_oid;
        }
    );
}

bool outputs_known(const Route& route, const parser::NearestNeighbourQuery& query) {
    const bool star =
        std::any_of(query.outputs.begin(), query.outputs.end(), [](const auto& output) {
            return output.kind == Kind::star;
        });
    if (star && query.order_label && has_column(route.table(), *query.order_label)) {
        return false;  // ORDER BY d with a column d among the stars: ambiguous to Postgres
    }
    const bool qualified =
        std::all_of(query.columns.begin(), query.columns.end(), [&](const std::string& name) {
            return has_column(route.table(), name);
        });
    return qualified &&
           std::all_of(query.outputs.begin(), query.outputs.end(), [&](const auto& output) {
               return output.kind != Kind::column || has_column(route.table(), output.column);
           });
}

}  // namespace veer::router
