#pragma once

#include "parser/expression.hpp"
#include "parser/tree.hpp"
#include "parser/with_rows.hpp"

#include <optional>
#include <vector>

namespace veer::parser {

/// A FROM clause of plain tables.
///
///     FROM chunks c JOIN docs d ON c.doc_id = d.id LEFT JOIN owners o USING (owner_id)
///          tables[0]     tables[1]                           tables[2], may_be_absent
struct From {
    struct Table {
        Source source;
        bool may_be_absent =
            false;  ///< NULLs may stand in its place: the right side of a LEFT JOIN
    };

    std::vector<Table> tables;
    std::vector<const PgQuery__Node*> conditions;  ///< of ON
    bool narrows = false;                          ///< not every row of a table need be in a result
    std::vector<GivenVector> given = {};           ///< of WithRows, which are no tables
};

/// Nothing where it has anything else: sub-selects, functions, FULL and RIGHT joins, ONLY. `rows`
/// are names that hide tables, each of one row, which changes nothing about how often the rows of
/// tables are in the result.
std::optional<From> read_from(
    const PgQuery__SelectStmt& select, const std::vector<WithRow>& rows = {}
);

}  // namespace veer::parser
