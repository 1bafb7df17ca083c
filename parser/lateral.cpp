#include "parser/lateral.hpp"

#include "parser/messages.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <span>
#include <string>

namespace veer::parser {
namespace {

const PgQuery__RangeSubselect* subselect(const PgQuery__Node* item, bool lateral) {
    const bool matches =
        item != nullptr && item->node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT &&
        (item->range_subselect->lateral != 0) == lateral &&
        item->range_subselect->subquery != nullptr &&
        item->range_subselect->subquery->node_case == PG_QUERY__NODE__NODE_SELECT_STMT;
    return matches ? item->range_subselect : nullptr;
}

bool is_true(const PgQuery__Node* node) {
    return node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
           node->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL &&
           node->a_const->boolval->boolval != 0;
}

/// Both sides of a join of each with each.
struct Sides {
    const PgQuery__Node* left = nullptr;
    const PgQuery__Node* right = nullptr;
};

Sides sides_of(const PgQuery__SelectStmt& whole) {
    if (whole.n_from_clause == 2) {
        return {whole.from_clause[0], whole.from_clause[1]};
    }
    if (whole.n_from_clause != 1 ||
        whole.from_clause[0]->node_case != PG_QUERY__NODE__NODE_JOIN_EXPR) {
        return {};
    }
    const PgQuery__JoinExpr& join = *whole.from_clause[0]->join_expr;
    const bool plain = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_INNER && join.is_natural == 0 &&
                       join.n_using_clause == 0 && join.alias == nullptr &&
                       (join.quals == nullptr || is_true(join.quals));
    return plain ? Sides{join.larg, join.rarg} : Sides{};
}

bool calls(const ProtobufCMessage& message) {
    bool found = message.descriptor == &pg_query__func_call__descriptor ||
                 message.descriptor == &pg_query__sub_link__descriptor;
    for_each_child(message, [&found](const ProtobufCMessage& child) {
        found = found || calls(child);
    });
    return found;
}

using Rows = std::vector<const PgQuery__List*>;

/// The rows of (VALUES (...), (...)), if it is nothing else and they are of one length.
Rows rows_of(const PgQuery__SelectStmt& select) {
    const bool plain = select.n_sort_clause == 0 && select.limit_count == nullptr &&
                       select.limit_offset == nullptr && select.with_clause == nullptr &&
                       select.n_locking_clause == 0;
    Rows rows;
    for (const PgQuery__Node* node : std::span(select.values_lists, select.n_values_lists)) {
        if (!plain || node->node_case != PG_QUERY__NODE__NODE_LIST) {
            return {};
        }
        rows.push_back(node->list);
        if (rows.back()->n_items != rows.front()->n_items) {
            return {};
        }
    }
    return rows;
}

/// Of one column the vectors of all rows, if that is what it has, and of one type. That of the
/// first row has to say which: where none does, a constant is a text.
std::optional<GivenVector> read_given(const Rows& rows, std::size_t column) {
    const auto untyped = [](const VectorExpression& vector) {
        return vector.form == VectorExpression::Form::untyped;
    };
    std::optional<VectorExpression> first = read_vector(rows.front()->items[column]);
    if (!first || first->stored || untyped(*first)) {
        return std::nullopt;
    }
    GivenVector given{{}, {}, *std::move(first)};
    given.vector.given = rows.size() == 1 ? 0 : column + 1;
    for (const PgQuery__List* row : std::span(rows).subspan(1)) {
        std::optional<VectorExpression> other = read_vector(row->items[column]);
        if (!other || other->stored) {
            return std::nullopt;
        }
        const bool alike = other->type_name == given.vector.type_name &&
                           other->type_schema == given.vector.type_schema;
        if (!alike && !untyped(*other)) {
            return std::nullopt;
        }
        given.others.push_back(*std::move(other));
    }
    return given;
}

std::vector<GivenVector> vectors_of(const Rows& rows, const PgQuery__Alias& alias) {
    std::vector<GivenVector> vectors;
    for (std::size_t i = 0; i < rows.front()->n_items; ++i) {
        if (std::optional<GivenVector> given = read_given(rows, i)) {
            given->table = alias.aliasname;
            given->column = i < alias.n_colnames ? std::string(name_of(alias.colnames[i]))
                                                 : "column" + std::to_string(i + 1);
            vectors.push_back(*std::move(given));
        }
    }
    return vectors;
}

}  // namespace

bool LateralSearch::note_others(NearestNeighbourQuery& query) const {
    if (once) {
        return true;
    }
    const auto searched = std::find_if(given.begin(), given.end(), [&](const GivenVector& each) {
        return each.vector.given == query.vector.given;
    });
    if (searched == given.end()) {
        return false;
    }
    query.several = GivenVectors{searched->table, searched->column, searched->others};
    return true;
}

bool keeps_rows(const PgQuery__SelectStmt& whole) {
    const auto none_calls = [](std::span<PgQuery__Node* const> nodes) {
        return std::none_of(nodes.begin(), nodes.end(), [](const PgQuery__Node* node) {
            return calls(node->base);
        });
    };
    return whole.with_clause == nullptr && whole.where_clause == nullptr &&
           whole.n_group_clause == 0 && whole.having_clause == nullptr &&
           whole.n_distinct_clause == 0 && whole.limit_count == nullptr &&
           whole.limit_offset == nullptr && none_calls({whole.target_list, whole.n_target_list}) &&
           none_calls({whole.sort_clause, whole.n_sort_clause});
}

std::optional<LateralSearch> read_lateral(const PgQuery__SelectStmt& whole) {
    const auto [left, right] = sides_of(whole);
    const PgQuery__RangeSubselect* const values = subselect(left, false);
    const PgQuery__RangeSubselect* const search = subselect(right, true);
    if (values == nullptr || search == nullptr || values->alias == nullptr || !keeps_rows(whole)) {
        return std::nullopt;
    }
    const Rows rows = rows_of(*values->subquery->select_stmt);
    if (rows.empty() || values->alias->aliasname == nullptr) {
        return std::nullopt;
    }
    LateralSearch read{
        vectors_of(rows, *values->alias), search->subquery->select_stmt, rows.size() == 1};
    return read.given.empty() ? std::nullopt : std::optional(std::move(read));
}

}  // namespace veer::parser
