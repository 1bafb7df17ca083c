#pragma once

#include "parser/expression.hpp"
#include "parser/tree.hpp"

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
};

/// Nothing where it has anything else: sub-selects, functions, FULL and RIGHT joins, ONLY.
std::optional<From> read_from(const PgQuery__SelectStmt& select);

}  // namespace veer::parser
