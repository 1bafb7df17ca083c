#pragma once

#include "proxy/admin/cursor.hpp"
#include "proxy/admin/failure.hpp"
#include "proxy/admin/statement.hpp"

#include <optional>
#include <string_view>

namespace veer::proxy::admin {

/// Commands that make something hold until somebody takes it back:
///
///     SET table.key = value          RESET table.key
///     IGNORE CLASS veer_missed ON '9f31c2aa00112233' UNTIL '2026-05-04' REASON '...'
///     UNIGNORE CLASS veer_missed ON '9f31c2aa00112233'
///
/// Nothing where the statement is none of them. `text` is the whole of it: a value is taken as it
/// was written.
std::optional<Result<Command>> read_setting(Cursor& cursor, std::string_view text);

}  // namespace veer::proxy::admin
