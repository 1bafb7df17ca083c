#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace veer::parser {

/// Where the statement begins that an EXPLAIN is about; nothing where the text is no EXPLAIN.
///
///     EXPLAIN (ANALYZE, COSTS off) SELECT id FROM t ...
///                                  ^
///
/// By tokens only (manual, EXPLAIN): whether the rest is a statement is for its reader to say.
std::optional<std::size_t> explained_position(std::string_view sql);

}  // namespace veer::parser
