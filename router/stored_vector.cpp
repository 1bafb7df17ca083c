#include "router/stored_vector.hpp"

#include "parser/shape.hpp"
#include "router/rewrite.hpp"
#include "router/row_filter.hpp"
#include "router/search.hpp"
#include "router/session_facts.hpp"
#include "router/vector_value.hpp"

#include <algorithm>
#include <set>

namespace veer::router {

std::string stored_vector_query(std::string_view text, std::span<const ParameterValue> parameters) {
    return "SELECT s.v::pg_catalog.text, pg_catalog.pg_typeof(s.v)::pg_catalog.oid, " +
           std::string(token_expression) + " FROM (SELECT " + std::string(text) +
           " AS v OFFSET 0) AS s" + mention_parameters(parser::parameters_in(text), parameters);
}

bool may_be_inferred_otherwise(
    std::string_view statement,
    std::string_view text,
    const parser::StoredVector& stored,
    std::span<const ParameterValue> parameters
) {
    const std::set<std::uint32_t> inside = parser::parameters_in(text);
    const std::vector<std::uint32_t>& told = stored.told_by_column;
    const std::size_t begin = statement.find(text);
    const std::size_t end = begin + text.size();
    std::set<std::uint32_t> around = parser::parameters_in(statement.substr(0, begin));
    around.merge(parser::parameters_in(statement.substr(end)));
    for (const std::uint32_t number : inside) {
        const bool known =
            std::find(told.begin(), told.end(), number) != told.end() ||
            (number <= parameters.size() && !is_inferred(parameters[number - 1].declared_type));
        if (!known && around.contains(number)) {
            return true;
        }
    }
    return false;
}

bool is_by_key(const parser::NearestNeighbourQuery& query, const Route& route) {
    using Condition = parser::Condition;
    const parser::StoredVector& stored = *query.vector.stored;
    const storage::Table& table = route.table();
    return !route.column.ann.declared && stored.schema == query.schema &&
           stored.table == query.table && stored.column == query.column && table.key.size() == 1 &&
           stored.condition.kind == Condition::Kind::compare &&
           stored.condition.comparison == Condition::Comparison::equal &&
           stored.condition.column == table.columns[table.key.front()].name;
}

bool surely_answered(
    const parser::NearestNeighbourQuery& query, const Route& route, const Values& values
) {
    const parser::StoredVector& stored = *query.vector.stored;
    parser::Condition condition = stored.condition;
    for (parser::Operand& operand : condition.operands) {
        const auto* const argument = std::get_if<parser::Argument>(&operand.value);
        const auto& told = stored.told_by_column;
        operand.alone =
            operand.alone ||
            (argument != nullptr && argument->source == parser::Argument::Source::parameter &&
             std::find(told.begin(), told.end(), argument->index + 1) != told.end());
    }
    // What veer can read as the key's type, Postgres can.
    return is_by_key(query, route) && row_filter(condition, route.table(), values).whole;
}

std::variant<storage::Vector, Reason> stored_vector(
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    const std::vector<std::optional<std::string_view>>& row
) {
    const storage::Column& column = route.vector_column();
    if (row.size() != 3 || !row[0] || !row[1] || !row[2]) {
        return reason::vector_value;
    }
    if (*row[1] != std::to_string(route.vector_type())) {
        return reason::vector_type;
    }
    auto vector = parse_vector_text(column.kind, *row[0]);
    if (!vector) {
        return reason::vector_value;
    }
    if (const auto why = refuse_vector(query, column, *vector)) {
        return *why;
    }
    return *std::move(vector);
}

}  // namespace veer::router
