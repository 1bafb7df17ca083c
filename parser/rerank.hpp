#pragma once

#include "parser/order.hpp"
#include "parser/statement.hpp"
#include "parser/tree.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::parser {

/// What is around a first choice by signs:
///
///     SELECT id, e <=> $1 AS d
///       FROM (SELECT * FROM docs ORDER BY binary_quantize(e)::bit(3) <~> binary_quantize($1)
///             LIMIT 20) s
///       ORDER BY e <=> $1 LIMIT 5
///                ^ order, of the columns of s
///
/// It shows LIMIT of the rows that have been chosen, by their order, and each of them once.
struct Reranking {
    const PgQuery__SelectStmt* whole = nullptr;
    Order order;
    bool may_raise = false;  ///< an output of it, on some row's values
};

/// Nothing where the rows of `choice` are not all there is, or something else is done with them. It
/// is a sub-select of FROM, or the only query of WITH.
std::optional<Reranking> read_reranking(
    const PgQuery__SelectStmt& whole, const PgQuery__SelectStmt& choice
);

/// Reads the choice: what it is by goes to `reranked`; the result is the order of its rows that
/// counts, in terms of its own table. Refusal::derived_vector where it is by anything else, or
/// where the column that they are sorted by afterwards is not the one that they are chosen by.
std::variant<Order, Refusal> read_choice(
    const PgQuery__SelectStmt& choice,
    const Source& source,
    const std::vector<Output>& outputs,
    const Reranking& reranking,
    Reranked& reranked
);

}  // namespace veer::parser
