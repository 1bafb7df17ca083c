#pragma once

#include "proxy/admin/cursor.hpp"
#include "proxy/admin/statement.hpp"

namespace veer::proxy::admin {

/// What changes something:
///
///     PANIC | UNPANIC | RELOAD | ROLLBACK ALL
///     RESUME [route]                          without a route: the same as UNPANIC
///     ALTER ROUTE route SET TRAFFIC percent   or SET ROUTE route PERCENT percent
///     OBSERVE | SHADOW | PROMOTE | ROLLBACK | HOLD | COMPLETE | REOPEN | CONFIRM route
///
/// each with [TO percent] [IF VERSION n] [FOR 'duration'] [REASON 'text'] where that has a meaning.
/// A route is a name, dotted or quoted: documents, public.documents.embedding, '... <=>'.
Result<Command> read_command(Cursor& cursor);

/// EXPLAIN ROUTE [ROLE '...'] [APPLICATION '...'] statement, and COMPARE statement: `text` from
/// there on is the statement's, and not the console's to understand. Nothing where it is neither.
std::optional<Result<Command>> read_asked_search(Cursor& cursor, std::string_view text);

}  // namespace veer::proxy::admin
