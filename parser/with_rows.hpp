#pragma once

#include "parser/expression.hpp"
#include "parser/tree.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::parser {

/// A WITH query that is one row of constants, from which a search takes its vector:
///
///     WITH q AS (SELECT '[1,2]'::vector AS v, 'cats' AS words)
///          name                 vectors[0]: v = '[1,2]'::vector
///     SELECT id FROM docs, q ORDER BY docs.e <=> q.v LIMIT 5
///
/// PostgreSQL puts it in place of its name, and so searches an index, where the name stands once
/// and MATERIALIZED does not forbid it (manual, 7.8.3). So it does where the name stands in
/// RowSelects only, `e <=> (SELECT v FROM q)`. Otherwise it sorts all rows, and its answer is
/// exact.
struct WithRow {
    std::string name;
    std::vector<GivenVector> vectors = {};  ///< their `table` is `name`
};

/// The queries of a statement's WITH clause; nothing where there is none, or one of them is
/// anything else, has no vector or many, or is used in another way.
std::optional<std::vector<WithRow>> read_with_rows(const PgQuery__SelectStmt& whole);

}  // namespace veer::parser
