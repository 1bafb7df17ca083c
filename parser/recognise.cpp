#include "parser/recognise.hpp"

#include "parser/effects.hpp"
#include "parser/expression.hpp"
#include "parser/order.hpp"
#include "parser/outputs.hpp"
#include "parser/shape.hpp"
#include "parser/tree.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace veer::parser {
namespace {

bool present(const char* text) {
    return text != nullptr && *text != '\0';
}

/// What rules a select out whatever its clauses say.
std::optional<Refusal> refuse_kind(const PgQuery__SelectStmt& select, const Shape& shape) {
    if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE) {
        return Refusal::set_operation;
    }
    if (select.with_clause != nullptr) {
        return Refusal::with_clause;
    }
    if (shape.begin == Shape::Begin::parenthesis) {
        return Refusal::set_operation;
    }
    if (select.n_values_lists != 0 || shape.begin != Shape::Begin::select) {
        return Refusal::not_select;  // VALUES, or TABLE t, which cannot take a WHERE
    }
    if (select.n_sort_clause == 0) {
        return Refusal::no_distance_order;
    }
    if (select.into_clause != nullptr || select.n_locking_clause != 0) {
        return Refusal::locking;
    }
    if (select.n_distinct_clause != 0 || select.n_group_clause != 0 ||
        select.having_clause != nullptr || select.n_window_clause != 0) {
        return Refusal::grouping;
    }
    return std::nullopt;
}

/// The FROM clause, if it is one plain table.
std::optional<Source> read_source(const PgQuery__SelectStmt& select) {
    if (select.n_from_clause != 1 ||
        select.from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR) {
        return std::nullopt;
    }
    const PgQuery__RangeVar& table = *select.from_clause[0]->range_var;
    if (table.inh == 0 || present(table.catalogname) || !present(table.relname)) {
        return std::nullopt;
    }
    Source source{
        .schema = std::nullopt,
        .table = table.relname,
        .reference = table.relname,
        .has_alias = table.alias != nullptr};
    if (present(table.schemaname)) {
        source.schema = table.schemaname;
    }
    source.location = table.location < 0 ? 0 : static_cast<std::size_t>(table.location);
    if (table.alias != nullptr) {
        if (table.alias->n_colnames != 0 || !present(table.alias->aliasname)) {
            return std::nullopt;
        }
        source.reference = table.alias->aliasname;
    }
    return source;
}

std::optional<Refusal> read_counts(
    const PgQuery__SelectStmt& select, NearestNeighbourQuery& query
) {
    if (select.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES) {
        return Refusal::limit_form;
    }
    const std::optional<Count> limit = read_count(select.limit_count);
    const std::optional<Count> offset = read_count(select.limit_offset);
    if (!limit || !offset) {
        return Refusal::limit_form;
    }
    if (std::holds_alternative<std::monostate>(limit->value)) {
        return Refusal::no_limit;
    }
    query.limit = *limit;
    query.offset = *offset;
    return std::nullopt;
}

/// Adds the WHERE clause, and what the outputs do besides giving values.
std::optional<Refusal> read_effects(
    const PgQuery__SelectStmt& select,
    const std::vector<Output>& outputs,
    const Source& source,
    NearestNeighbourQuery& query
) {
    Effects effects;
    note_effects(select.where_clause, source, effects);
    if (effects.refusal) {
        return effects.refusal;
    }
    for (const Output& output : outputs) {
        effects.may_raise = effects.may_raise || output.effects.may_raise;
        effects.columns.insert(
            effects.columns.end(), output.effects.columns.begin(), output.effects.columns.end()
        );
    }
    query.may_raise = effects.may_raise;
    query.columns = std::move(effects.columns);
    return std::nullopt;
}

/// Where a condition may be added, made sure of by adding one.
std::variant<Clauses, Refusal> read_clauses(
    std::string_view text, const PgQuery__SelectStmt& select, const Source& source
) {
    const std::optional<Clauses> clauses = find_clauses(text, source.location);
    const bool filtered = select.where_clause != nullptr;
    if (!clauses || clauses->condition.has_value() != filtered) {
        return Refusal::expression;
    }
    const std::string changed = add_condition(text, *clauses, "veer.added");
    if (scan_shape(changed).refusal) {
        return Refusal::too_long;
    }
    if (!is_added_condition(Tree(changed), "veer", "added")) {
        return Refusal::expression;
    }
    return *clauses;
}

Recognition recognise_select(
    std::string_view text, const PgQuery__SelectStmt& select, const Shape& shape
) {
    if (const std::optional<Refusal> refusal = refuse_kind(select, shape)) {
        return *refusal;
    }
    std::optional<Source> source = read_source(select);
    if (!source) {
        return Refusal::join;
    }
    const std::vector<Output> outputs = read_outputs(select, *source);
    std::variant<Order, Refusal> order = read_order(select, outputs, *source);
    if (const auto* refusal = std::get_if<Refusal>(&order)) {
        return *refusal;
    }
    auto& [distance, label] = std::get<Order>(order);
    std::variant<std::vector<OutputColumn>, Refusal> columns = accept_outputs(outputs, distance);
    if (const auto* refusal = std::get_if<Refusal>(&columns)) {
        return *refusal;
    }
    NearestNeighbourQuery query;
    if (const std::optional<Refusal> refusal = read_counts(select, query)) {
        return *refusal;
    }
    // Last, so that whoever counts refusals sees how many statements only their filter keeps away.
    if (const std::optional<Refusal> refusal = read_effects(select, outputs, *source, query)) {
        return *refusal;
    }
    const std::variant<Clauses, Refusal> clauses = read_clauses(text, select, *source);
    if (const auto* refusal = std::get_if<Refusal>(&clauses)) {
        return *refusal;
    }
    query.schema = std::move(source->schema);
    query.table = std::move(source->table);
    query.reference = std::move(source->reference);
    query.column = std::move(distance.column);
    query.operator_name = std::move(distance.operator_name);
    query.operator_schema = std::move(distance.operator_schema);
    query.vector = std::move(distance.vector);
    query.outputs = std::move(std::get<std::vector<OutputColumn>>(columns));
    query.order_label = std::move(label);
    query.clauses = std::get<Clauses>(clauses);
    query.parameters = shape.parameters;
    return query;
}

}  // namespace

bool mentions_distance_operator(std::string_view sql) {
    const char* at = sql.data();
    std::size_t left = sql.size();
    while (left >= 3) {
        const auto* found = static_cast<const char*>(std::memchr(at, '<', left - 2));
        if (found == nullptr) {
            return false;
        }
        if (found[2] == '>' && found[1] != '\0' && std::strchr("-=#+~%", found[1]) != nullptr) {
            return true;
        }
        left -= static_cast<std::size_t>(found + 1 - at);
        at = found + 1;
    }
    return false;
}

Recognition recognise(std::string_view normalised_text) {
    const Shape shape = scan_shape(normalised_text);
    if (shape.refusal) {
        return *shape.refusal;
    }
    const Tree tree{std::string(normalised_text)};
    if (tree.get() == nullptr) {
        return Refusal::parse_error;
    }
    if (tree.get()->n_stmts > 1) {
        return Refusal::multiple_statements;
    }
    if (tree.get()->n_stmts == 0) {
        return Refusal::not_select;
    }
    const PgQuery__Node* statement = tree.get()->stmts[0]->stmt;
    if (statement == nullptr || statement->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
        return Refusal::not_select;
    }
    return recognise_select(normalised_text, *statement->select_stmt, shape);
}

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::parse_error:
            return "parse_error";
        case Refusal::too_long:
            return "too_long";
        case Refusal::multiple_statements:
            return "multiple_statements";
        case Refusal::not_select:
            return "not_select";
        case Refusal::no_distance_order:
            return "no_distance_order";
        case Refusal::descending:
            return "descending";
        case Refusal::order_keys:
            return "order_keys";
        case Refusal::no_limit:
            return "no_limit";
        case Refusal::function:
            return "function";
        case Refusal::subquery:
            return "subquery";
        case Refusal::expression:
            return "expression";
        case Refusal::join:
            return "join";
        case Refusal::grouping:
            return "grouping";
        case Refusal::set_operation:
            return "set_operation";
        case Refusal::with_clause:
            return "with_clause";
        case Refusal::locking:
            return "locking";
        case Refusal::projection:
            return "projection";
        case Refusal::query_vector:
            return "query_vector";
        case Refusal::limit_form:
            return "limit_form";
    }
    return "unknown";
}

}  // namespace veer::parser
