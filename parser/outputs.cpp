#include "parser/outputs.hpp"

#include "parser/monotone.hpp"

#include <pg_query/pg_query.pb-c.h>

namespace veer::parser {
namespace {

/// Postgres' name for a column that has none (FigureColname).
constexpr std::string_view unnamed = "?column?";

/// Makes it a distance or a similarity, if it is one.
void read_measure(
    const PgQuery__Node* node, OutputColumn::Kind kind, const Source& source, Output& output
) {
    std::variant<Distance, Refusal> read = read_distance(node, source);
    if (auto* distance = std::get_if<Distance>(&read)) {
        output.column.kind = kind;
        output.column.vector = distance->vector;
        output.distance = std::move(*distance);
    } else {
        output.other_distance = std::get<Refusal>(read) == Refusal::query_vector;
    }
}

Output read_output(const PgQuery__ResTarget& target, const Source& source) {
    Output output;
    const std::string_view alias = target.name == nullptr ? "" : target.name;
    note_effects(target.val, source, output.effects);
    if (is_star(target.val)) {
        output.column.kind = OutputColumn::Kind::star;
        return output;
    }
    if (std::optional<std::string> column = read_column(target.val, source)) {
        output.column.label = alias.empty() ? *column : std::string(alias);
        output.column.column = std::move(*column);
        return output;
    }
    output.column.kind = OutputColumn::Kind::expression;
    // Postgres names a function's or a cast's output after it; ORDER BY finds no distance there.
    const std::string_view name = column_name(target.val);
    output.column.label = !alias.empty() ? alias : name.empty() ? unnamed : name;
    const std::optional<Monotone> computed = read_monotone(target.val);
    if (const PgQuery__Node* subtracted = subtracted_from_one(target.val)) {
        read_measure(subtracted, OutputColumn::Kind::similarity, source, output);
    } else if (computed) {
        read_measure(computed->operand, OutputColumn::Kind::expression, source, output);
    } else {
        read_measure(target.val, OutputColumn::Kind::distance, source, output);
    }
    if (computed && output.distance) {
        output.falling = computed->falling;
        output.column.computed = output.column.kind == OutputColumn::Kind::expression;
    }
    return output;
}

}  // namespace

std::vector<Output> read_outputs(const PgQuery__SelectStmt& select, const Source& source) {
    std::vector<Output> outputs;
    outputs.reserve(select.n_target_list);
    for (std::size_t i = 0; i < select.n_target_list; ++i) {
        const PgQuery__Node* node = select.target_list[i];
        const bool target = node->node_case == PG_QUERY__NODE__NODE_RES_TARGET;
        outputs.push_back(target ? read_output(*node->res_target, source) : Output{});
    }
    return outputs;
}

std::variant<std::vector<OutputColumn>, Refusal> accept_outputs(
    const std::vector<Output>& outputs, const Distance& order
) {
    std::vector<OutputColumn> accepted;
    accepted.reserve(outputs.size());
    for (const Output& output : outputs) {
        if (output.effects.refusal) {
            return *output.effects.refusal;
        }
        accepted.push_back(output.column);
        if (output.distance && !output.distance->same_measure(order)) {
            accepted.back().kind = OutputColumn::Kind::expression;
            accepted.back().computed = false;  // another operator may be of another type
        }
    }
    if (accepted.empty()) {
        return Refusal::projection;  // SELECT FROM t: rows without columns
    }
    return accepted;
}

}  // namespace veer::parser
