#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace veer::config {

/// Reads schema.table.column by PostgreSQL's rules for identifiers (manual 4.1.1): unquoted names
/// are folded to lower case, "quoted" ones are kept, "" inside quotes is one quote.
std::optional<ColumnName> parse_column_name(std::string_view text);

/// Formats so that parse_column_name() gives the same name back, with quotes only where needed.
std::string to_string(const ColumnName& name);

}  // namespace veer::config
