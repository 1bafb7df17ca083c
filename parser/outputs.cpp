#include "parser/outputs.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>

namespace veer::parser {
namespace {

/// Postgres' name for a column that has none (FigureColname).
constexpr std::string_view unnamed = "?column?";

constexpr std::array<std::string_view, 10> aggregates{
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "json_agg",
    "jsonb_agg",
    "max",
    "min",
    "sum"};

/// Aggregates are a matter of the catalogue; the usual ones are told apart for the sake of
/// counting.
Refusal refusal_of(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
        return Refusal::projection;
    }
    const PgQuery__FuncCall& call = *node->func_call;
    const std::string_view name =
        call.n_funcname == 0 ? std::string_view() : name_of(call.funcname[call.n_funcname - 1]);
    const bool groups = call.over != nullptr || call.agg_star != 0 || call.agg_distinct != 0 ||
                        call.agg_within_group != 0 || call.agg_filter != nullptr ||
                        call.n_agg_order != 0 ||
                        std::find(aggregates.begin(), aggregates.end(), name) != aggregates.end();
    return groups ? Refusal::grouping : Refusal::projection;
}

/// Fills in a distance or a similarity; leaves the output without a column where it is neither.
void read_measure(
    const PgQuery__Node* node, OutputColumn::Kind kind, const Source& source, Output& output
) {
    std::variant<Distance, Refusal> read = read_distance(node, source);
    if (auto* distance = std::get_if<Distance>(&read)) {
        output.column = OutputColumn{kind, {}, output.label, distance->vector};
        output.distance = std::move(*distance);
    } else if (std::get<Refusal>(read) == Refusal::query_vector) {
        output.refusal = Refusal::query_vector;
    }
}

Output read_output(const PgQuery__ResTarget& target, const Source& source) {
    Output output;
    const std::string_view alias = target.name == nullptr ? "" : target.name;
    if (is_star(target.val, source)) {
        output.column = OutputColumn{OutputColumn::Kind::star, {}, {}, {}};
        return output;
    }
    if (std::optional<std::string> column = read_column(target.val, source)) {
        output.label = alias.empty() ? *column : std::string(alias);
        output.column =
            OutputColumn{OutputColumn::Kind::column, std::move(*column), output.label, {}};
        return output;
    }
    output.label = alias.empty() ? unnamed : alias;
    output.refusal = refusal_of(target.val);
    if (const PgQuery__Node* subtracted = subtracted_from_one(target.val)) {
        read_measure(subtracted, OutputColumn::Kind::similarity, source, output);
    } else {
        read_measure(target.val, OutputColumn::Kind::distance, source, output);
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
        if (!output.column) {
            return output.refusal;
        }
        if (output.distance && !output.distance->same_measure(order)) {
            return Refusal::projection;
        }
        accepted.push_back(*output.column);
    }
    if (accepted.empty()) {
        return Refusal::projection;  // SELECT FROM t: rows without columns
    }
    return accepted;
}

}  // namespace veer::parser
