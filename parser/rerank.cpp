#include "parser/rerank.hpp"

#include "parser/messages.hpp"
#include "parser/outputs.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <span>

namespace veer::parser {
namespace {

using Nodes = std::span<PgQuery__Node* const>;

bool calls(const ProtobufCMessage& message) {
    bool found = message.descriptor == &pg_query__func_call__descriptor ||
                 message.descriptor == &pg_query__sub_link__descriptor;
    for_each_child(message, [&found](const ProtobufCMessage& child) {
        found = found || calls(child);
    });
    return found;
}

bool none_calls(Nodes nodes) {
    return std::none_of(nodes.begin(), nodes.end(), [](const PgQuery__Node* node) {
        return calls(node->base);
    });
}

/// What the statement around it can call its rows by.
Source source_of(const PgQuery__Alias* alias, const char* name) {
    Source source{.schema = {}, .table = name, .reference = name, .others = {}};
    if (alias != nullptr) {
        source.reference = alias->aliasname;
        source.has_alias = true;
    }
    return source;
}

bool renames_columns(const PgQuery__Alias* alias) {
    return alias != nullptr && alias->n_colnames != 0;
}

std::optional<Source> chosen_in_from(
    const PgQuery__RangeSubselect& item, const PgQuery__SelectStmt& choice
) {
    const bool it = item.subquery != nullptr && item.lateral == 0 &&
                    item.subquery->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                    item.subquery->select_stmt == &choice && !renames_columns(item.alias);
    return it ? std::optional(source_of(item.alias, "")) : std::nullopt;
}

std::optional<Source> chosen_in_with(
    const PgQuery__WithClause& with,
    const PgQuery__RangeVar& item,
    const PgQuery__SelectStmt& choice
) {
    const PgQuery__CommonTableExpr& query = *with.ctes[0]->common_table_expr;
    const bool it = with.n_ctes == 1 && with.recursive == 0 && query.n_aliascolnames == 0 &&
                    query.ctequery->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                    query.ctequery->select_stmt == &choice && *item.schemaname == '\0' &&
                    std::string_view(item.relname) == query.ctename && !renames_columns(item.alias);
    return it ? std::optional(source_of(item.alias, item.relname)) : std::nullopt;
}

/// The FROM item that is the choice, and nothing else.
std::optional<Source> chosen_rows(
    const PgQuery__SelectStmt& whole, const PgQuery__SelectStmt& choice
) {
    if (whole.n_from_clause != 1) {
        return std::nullopt;
    }
    const PgQuery__Node& item = *whole.from_clause[0];
    if (whole.with_clause == nullptr && item.node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT) {
        return chosen_in_from(*item.range_subselect, choice);
    }
    if (whole.with_clause != nullptr && item.node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
        return chosen_in_with(*whole.with_clause, *item.range_var, choice);
    }
    return std::nullopt;
}

/// The n of ::bit(n).
std::optional<std::int32_t> bits_of_cast(const PgQuery__TypeName& type) {
    const bool is_bit = type.n_names == 2 && name_of(type.names[0]) == "pg_catalog" &&
                        name_of(type.names[1]) == "bit" && type.setof == 0 &&
                        type.n_array_bounds == 0 && type.n_typmods == 1;
    const auto bits = is_bit ? integer_of(type.typmods[0]) : std::nullopt;
    constexpr std::int64_t dimensions_max = 64'000;  // of an index
    return bits && *bits >= 1 && *bits <= dimensions_max
               ? std::optional(static_cast<std::int32_t>(*bits))
               : std::nullopt;
}

/// binary_quantize(operand), with a cast to bit(n) or without.
struct Quantized {
    const PgQuery__Node* operand = nullptr;
    std::optional<std::int32_t> bits;
};

std::optional<Quantized> read_quantized(const PgQuery__Node* node) {
    Quantized quantized;
    if (node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        quantized.bits = bits_of_cast(*node->type_cast->type_name);
        if (!quantized.bits) {
            return std::nullopt;
        }
        node = node->type_cast->arg;
    }
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
        return std::nullopt;
    }
    const PgQuery__FuncCall& call = *node->func_call;
    const bool plain = call.n_funcname == 1 && name_of(call.funcname[0]) == "binary_quantize" &&
                       call.n_args == 1 && call.n_agg_order == 0 && call.agg_filter == nullptr &&
                       call.over == nullptr && call.agg_distinct == 0 && call.func_variadic == 0 &&
                       call.agg_star == 0;
    if (!plain) {
        return std::nullopt;
    }
    quantized.operand = call.args[0];
    return quantized;
}

/// binary_quantize(column)::bit(n) <~> binary_quantize(vector), either way round; gives the column.
std::optional<std::string> read_signs(
    const PgQuery__Node* node, const Source& source, Reranked& reranked
) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_A_EXPR ||
        node->a_expr->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || node->a_expr->n_name > 2) {
        return std::nullopt;
    }
    const PgQuery__AExpr& expression = *node->a_expr;
    auto indexed = read_quantized(expression.lexpr);
    auto other = read_quantized(expression.rexpr);
    if (name_of(expression.name[expression.n_name - 1]) != "<~>" || !indexed || !other) {
        return std::nullopt;
    }
    std::optional<std::string> column = read_column(indexed->operand, source);
    if (!column) {
        std::swap(indexed, other);
        column = read_column(indexed->operand, source);
    }
    std::optional<VectorExpression> vector = read_vector(other->operand);
    if (!column || !indexed->bits || other->bits.value_or(*indexed->bits) != *indexed->bits ||
        !vector || vector->stored) {
        return std::nullopt;
    }
    reranked.bits = *indexed->bits;
    reranked.vector = *std::move(vector);
    if (expression.n_name == 2) {
        reranked.operator_schema = name_of(expression.name[0]);
    }
    return column;
}

/// Whether what is called `name` outside is this column of the table.
bool hands_out(
    const std::vector<Output>& outputs, const std::string& name, const std::string& column
) {
    bool found = false;
    for (const Output& output : outputs) {
        if (output.column.kind == OutputColumn::Kind::star) {
            found = found || name == column;
        } else if (output.column.label == name) {
            if (output.column.kind != OutputColumn::Kind::column ||
                output.column.column != column) {
                return false;
            }
            found = true;
        }
    }
    return found;
}

}  // namespace

std::optional<Reranking> read_reranking(
    const PgQuery__SelectStmt& whole, const PgQuery__SelectStmt& choice
) {
    const bool shows_rows = whole.where_clause == nullptr && whole.n_group_clause == 0 &&
                            whole.having_clause == nullptr && whole.n_distinct_clause == 0 &&
                            whole.n_window_clause == 0 &&
                            none_calls({whole.target_list, whole.n_target_list}) &&
                            none_calls({whole.sort_clause, whole.n_sort_clause});
    const std::optional<Source> source = shows_rows ? chosen_rows(whole, choice) : std::nullopt;
    if (!source) {
        return std::nullopt;
    }
    const std::vector<Output> outputs = read_outputs(whole, *source);
    std::variant<Order, Refusal> order = read_order(whole, outputs, *source);
    auto* const read = std::get_if<Order>(&order);
    if (read == nullptr || !read->distance.from.is_plain() || read->distance.vector.stored) {
        return std::nullopt;
    }
    const auto may_fail = [&sorted_by = read->distance.from](const Effects& effects) {
        return effects.may_raise || effects.measures_others(sorted_by);
    };
    const bool may_raise =
        may_fail(read->effects) ||
        std::any_of(outputs.begin(), outputs.end(), [&may_fail](const Output& output) {
            return may_fail(output.effects);
        });
    return Reranking{&whole, std::move(*read), may_raise};
}

std::variant<Order, Refusal> read_choice(
    const PgQuery__SelectStmt& choice,
    const Source& source,
    const std::vector<Output>& outputs,
    const Reranking& reranking,
    Reranked& reranked
) {
    const bool one_key = choice.n_sort_clause == 1 &&
                         choice.sort_clause[0]->node_case == PG_QUERY__NODE__NODE_SORT_BY;
    const PgQuery__SortBy* const sort = one_key ? choice.sort_clause[0]->sort_by : nullptr;
    const bool rising = sort != nullptr && sort->sortby_dir != PG_QUERY__SORT_BY_DIR__SORTBY_DESC &&
                        sort->sortby_dir != PG_QUERY__SORT_BY_DIR__SORTBY_USING &&
                        sort->sortby_nulls != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
    const auto column = rising ? read_signs(sort->node, source, reranked) : std::nullopt;
    if (!column || !hands_out(outputs, reranking.order.distance.from.column, *column)) {
        return Refusal::derived_vector;
    }
    Order order = reranking.order;
    order.distance.from.column = *column;
    return order;
}

}  // namespace veer::parser
