#include "parser/with_rows.hpp"

#include "parser/messages.hpp"
#include "parser/row_select.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <span>

namespace veer::parser {
namespace {

/// More of either nobody writes; what is read of them is copied for each table of FROM, and each
/// query costs a look at the whole tree.
constexpr std::size_t rows_max = 8;
constexpr std::size_t vectors_max = 8;

/// $1 or a constant, under any casts. Whether a cast fails is the same with and without an index.
bool is_constant(const PgQuery__Node* node) {
    while (node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        node = node->type_cast->arg;
    }
    return node != nullptr && (node->node_case == PG_QUERY__NODE__NODE_A_CONST ||
                               node->node_case == PG_QUERY__NODE__NODE_PARAM_REF);
}

/// SELECT and a list, so that it has one row.
bool is_row(const PgQuery__SelectStmt& select) {
    return is_plain_select(select) && select.n_from_clause == 0 && select.where_clause == nullptr &&
           select.limit_count == nullptr && select.limit_offset == nullptr;
}

/// How often a table of this name, without a schema, stands anywhere.
struct Mentions {
    std::size_t all = 0;
    std::size_t selected = 0;  ///< of those, in a RowSelect
};

void count_mentions(const ProtobufCMessage& message, std::string_view name, Mentions& mentions) {
    if (message.descriptor == &pg_query__range_var__descriptor) {
        const auto& table = reinterpret_cast<const PgQuery__RangeVar&>(message);
        const bool bare = table.schemaname == nullptr || *table.schemaname == '\0';
        mentions.all += bare && table.relname != nullptr && table.relname == name ? 1 : 0;
    } else if (message.descriptor == &pg_query__sub_link__descriptor) {
        const auto read = read_row_select(reinterpret_cast<const PgQuery__SubLink&>(message));
        mentions.selected += read && read->query == name ? 1 : 0;
    }
    for_each_child(message, [&](const ProtobufCMessage& child) {
        count_mentions(child, name, mentions);
    });
}

/// Whether a search by it is one that PostgreSQL searches an index for.
bool is_searched_by(const PgQuery__CommonTableExpr& with, const PgQuery__SelectStmt& whole) {
    Mentions mentions;
    count_mentions(whole.base, with.ctename, mentions);
    const bool in_place =
        mentions.all == 1 && with.ctematerialized != PG_QUERY__CTEMATERIALIZE__CTEMaterializeAlways;
    return in_place || (mentions.all > 0 && mentions.selected == mentions.all);
}

/// The vector of one output, under its name; false where the output is no constant.
bool read_output(const PgQuery__Node* node, std::string_view renamed, WithRow& row) {
    if (node->node_case != PG_QUERY__NODE__NODE_RES_TARGET) {
        return false;
    }
    const char* const label = node->res_target->name;
    const std::string_view own = label == nullptr ? std::string_view() : label;
    std::optional<VectorExpression> vector = read_vector(node->res_target->val);
    if (vector ? vector->stored.has_value() : !is_constant(node->res_target->val)) {
        return false;
    }
    const bool typed = vector && vector->form != VectorExpression::Form::untyped;
    if (const std::string_view name = renamed.empty() ? own : renamed; typed && !name.empty()) {
        row.vectors.push_back({row.name, std::string(name), *std::move(vector)});
    }
    return true;
}

std::optional<WithRow> read_row(
    const PgQuery__CommonTableExpr& with, const PgQuery__SelectStmt& whole
) {
    const bool selects = with.ctequery != nullptr && with.ctename != nullptr &&
                         with.ctequery->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                         is_row(*with.ctequery->select_stmt);
    if (!selects || !is_searched_by(with, whole)) {
        return std::nullopt;
    }
    const PgQuery__SelectStmt& select = *with.ctequery->select_stmt;
    WithRow row{with.ctename};
    for (std::size_t i = 0; i < select.n_target_list; ++i) {
        const std::string_view renamed =
            i < with.n_aliascolnames ? name_of(with.aliascolnames[i]) : std::string_view();
        if (!read_output(select.target_list[i], renamed, row)) {
            return std::nullopt;
        }
    }
    const bool usable = !row.vectors.empty() && row.vectors.size() <= vectors_max;
    return usable ? std::optional(std::move(row)) : std::nullopt;
}

}  // namespace

std::optional<std::vector<WithRow>> read_with_rows(const PgQuery__SelectStmt& whole) {
    if (whole.with_clause == nullptr || whole.with_clause->recursive != 0 ||
        whole.with_clause->n_ctes > rows_max) {
        return std::nullopt;
    }
    std::vector<WithRow> rows;
    for (const PgQuery__Node* item :
         std::span(whole.with_clause->ctes, whole.with_clause->n_ctes)) {
        std::optional<WithRow> row = item->node_case == PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR
                                         ? read_row(*item->common_table_expr, whole)
                                         : std::nullopt;
        if (!row) {
            return std::nullopt;
        }
        rows.push_back(*std::move(row));
    }
    return rows;
}

}  // namespace veer::parser
