#pragma once

#include "parser/expression.hpp"
#include "parser/tree.hpp"

#include <optional>
#include <vector>

namespace veer::parser {

/// A search whose query vectors stand in VALUES beside it:
///
///     SELECT q.n, r.id
///       FROM (VALUES (0, CAST(ARRAY[1,2] AS vector(2))), (1, $1::vector(2))) AS q (n, v)
///     given:               q.v = ARRAY[1,2]::vector(2)   others: $1::vector(2)
///       JOIN LATERAL (SELECT id FROM docs ORDER BY docs.e <=> q.v LIMIT 3) AS r ON true
///            select:  ^
///
/// All rows of the search, which is made once for each of VALUES, are the statement's rows, and it
/// has no others.
struct LateralSearch {
    std::vector<GivenVector> given;
    const PgQuery__SelectStmt* select = nullptr;
    bool once = true;  ///< VALUES has one row

    /// Takes note of the further vectors of a search that has been read with `given`. False where
    /// it is made for each of several rows, but not with a vector of theirs.
    bool note_others(NearestNeighbourQuery& query) const;
};

/// Whether each row of its FROM clause is one of the answer, and there are no others: no
/// conditions, no LIMIT, no aggregates, which make one row of many, nor functions that make many of
/// one.
bool keeps_rows(const PgQuery__SelectStmt& whole);

/// Nothing where the statement is of another form; whether what stands LATERAL is a search is not
/// looked at.
std::optional<LateralSearch> read_lateral(const PgQuery__SelectStmt& whole);

}  // namespace veer::parser
