#include "router/decide.hpp"

#include "router/bucket.hpp"

#include <algorithm>

namespace veer::router {

namespace {

using Kind = parser::OutputColumn::Kind;

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

std::optional<Reason> not_the_same_thing(
    const parser::NearestNeighbourQuery& query, const SessionFacts& facts
) {
    if (!facts.table_unchanged) {
        return reason::changed;
    }
    const bool table = query.schema || facts.table_visible;
    const bool operators = query.operator_schema ? *query.operator_schema == facts.extension_schema
                                                 : facts.operator_visible;
    bool types = type_holds(query.vector, facts);
    for (const parser::OutputColumn& output : query.outputs) {
        const bool distance = output.kind == Kind::distance || output.kind == Kind::similarity;
        types = types && (!distance || type_holds(output.vector, facts));
    }
    return table && operators && types ? std::nullopt : std::optional(reason::hidden_name);
}

}  // namespace

std::optional<Reason> settled_without_facts(
    const Route& route, bool live, const Circumstances& circumstances, double bucket
) {
    if (circumstances.panic) {
        return reason::panic;
    }
    if (!live) {
        return reason::not_live;
    }
    if (!circumstances.utf8) {
        return reason::encoding;
    }
    if (circumstances.transaction == 'E') {
        return reason::transaction_failed;
    }
    if (!inside(bucket, route.percent) && !circumstances.settings_touched) {
        return reason::percent;
    }
    return std::nullopt;
}

std::variant<Service, Reason> decide(
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const SessionFacts& facts,
    double default_bucket,
    bool one_vector
) {
    if (const auto why = not_the_same_thing(query, facts)) {
        return *why;
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
    if (!facts.index_scans) {
        return reason::exact_requested;
    }
    if (facts.route == "postgres") {
        return reason::session_route;
    }
    const double where = facts.key.empty() ? default_bucket : bucket(route.salt, facts.key);
    if (facts.route != "veer" && !inside(where, route.percent)) {
        return reason::percent;
    }
    const bool local = one_vector && facts.shortest_floats && answerable_locally(route, query);
    return local ? Service::local : Service::rewrite;
}

bool answerable_locally(const Route& route, const parser::NearestNeighbourQuery& query) {
    if (query.narrows() || query.wrapped || !query.joined.empty()) {
        return false;
    }
    return std::all_of(query.outputs.begin(), query.outputs.end(), [&](const auto& output) {
        return output.kind == Kind::distance || output.kind == Kind::similarity ||
               (output.kind == Kind::column && is_key(route.table(), output.column));
    });
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
