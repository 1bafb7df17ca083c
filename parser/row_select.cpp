#include "parser/row_select.hpp"

#include "parser/from.hpp"

#include <pg_query/pg_query.pb-c.h>

namespace veer::parser {
namespace {

const PgQuery__SelectStmt* scalar_select(const PgQuery__SubLink& link) {
    const bool scalar = link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK &&
                        link.subselect != nullptr &&
                        link.subselect->node_case == PG_QUERY__NODE__NODE_SELECT_STMT;
    return scalar ? link.subselect->select_stmt : nullptr;
}

}  // namespace

std::optional<RowSelect> read_row_select(const PgQuery__SubLink& link) {
    const PgQuery__SelectStmt* const select = scalar_select(link);
    if (select == nullptr || !is_plain_select(*select) || select->where_clause != nullptr ||
        (select->limit_count != nullptr && integer_of(select->limit_count) != 1) ||
        select->limit_offset != nullptr || select->n_target_list != 1 ||
        select->n_from_clause != 1 ||
        select->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET ||
        select->from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR) {
        return std::nullopt;
    }
    const std::optional<From> from = read_from(*select);
    if (!from || from->tables.front().source.schema) {
        return std::nullopt;
    }
    const PgQuery__Node* const output = select->target_list[0]->res_target->val;
    if (!read_column(output, from->tables.front().source)) {
        return std::nullopt;
    }
    return RowSelect{select->from_clause[0]->range_var->relname, column_name(output)};
}

bool is_plain_select(const PgQuery__SelectStmt& select) {
    return select.op == PG_QUERY__SET_OPERATION__SETOP_NONE && select.with_clause == nullptr &&
           select.n_values_lists == 0 && select.n_sort_clause == 0 &&
           select.into_clause == nullptr && select.n_locking_clause == 0 &&
           select.n_distinct_clause == 0 && select.n_group_clause == 0 &&
           select.having_clause == nullptr && select.n_window_clause == 0;
}

}  // namespace veer::parser
