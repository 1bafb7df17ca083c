#pragma once

#include "storage/column_type.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace veer::storage {

/// A date (days since 2000-01-01) or timestamp (microseconds since then) as a text that Postgres
/// reads back as the same, whatever DateStyle and TimeZone are:
///
///     2024-02-29 | 12345-01-01 | 0044-03-15 BC | infinity
///     2024-02-29 01:02:03.000004 | ...+00 | 0044-03-15 01:02:03.000004+00 BC
///
/// Nothing where Postgres has no such value. Requires date, timestamp or timestamptz.
std::optional<std::string> time_text(ColumnType type, std::int64_t value);

}  // namespace veer::storage
