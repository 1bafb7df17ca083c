#pragma once

#include "proxy/admin/statement.hpp"

#include <string_view>
#include <vector>

namespace veer::proxy::admin {

/// What psql (\d, \dt, \l, completion) and drivers ask of pg_catalog and information_schema,
/// answered from the console's own relations. Not a query engine:
///
///     SELECT n.nspname as "Schema", c.relname as "Name", ... FROM pg_catalog.pg_class c ... WHERE
///     ...
///            ~~~~~~~~~~~~~~~~~~~~~  column by its output name  ~~~~~~~~~~~~~~~~~~
///                                                              the first relation: rows
///     c.relname OPERATOR(pg_catalog.~) '^(routes)$', c.oid = '16384', relkind IN ('r', ...): kept
///
/// Whatever else it asks is not there: no rows, or NULL for a column. Never an error.
std::vector<Column> probe_columns(std::string_view text);
std::vector<Row> probe_rows(std::string_view text, const Asker& asker);

}  // namespace veer::proxy::admin
