#pragma once

#include "proxy/admin/cursor.hpp"
#include "proxy/admin/statement.hpp"

namespace veer::proxy::admin {

/// SELECT, from behind that word to the end of the statement:
///
///     item [, ...] [FROM [veer.]relation [alias]] [WHERE condition [AND ...]]
///         [ORDER BY column [DESC], ...] [LIMIT n] [OFFSET n]
///
///     item       * | column | count(*) | constant | function()     each with [AS name]
///     condition  column = | <> | < | <= | > | >= | [NOT] LIKE value
///                column [NOT] IN (value, ...) | column IS [NOT] NULL
Result<Statement> read_select(Cursor& cursor, const Asker& asker);

/// A number, a string, TRUE, FALSE, NULL or $n, with a cast behind it that is not looked at.
Result<Operand> read_operand(Cursor& cursor);

}  // namespace veer::proxy::admin
