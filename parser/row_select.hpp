#pragma once

#include "parser/tree.hpp"

#include <optional>
#include <string_view>

namespace veer::parser {

/// A column of what has one row, as a value: (SELECT v FROM q), (SELECT b.v FROM q AS b LIMIT 1).
/// Whether q is a WITH query, and has one row, with_rows.hpp knows. PostgreSQL evaluates it before
/// the search, once, and searches an index by what comes of it, however q is kept.
struct RowSelect {
    std::string_view query;  ///< of the tree
    std::string_view column;
};

/// Nothing for any other sub-select: with a condition, a schema, other names of columns.
std::optional<RowSelect> read_row_select(const PgQuery__SubLink& link);

/// True of SELECT outputs FROM ... WHERE ... LIMIT ..., where any but the outputs may be absent,
/// and there is nothing else.
bool is_plain_select(const PgQuery__SelectStmt& select);

}  // namespace veer::parser
