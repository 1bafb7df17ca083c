#pragma once

#include "index/filter.hpp"
#include "storage/column_type.hpp"
#include "storage/row.hpp"

#include <optional>
#include <vector>

namespace veer::index::test {

/// As Postgres sends it; nothing is NULL. Requires a value of the type.
storage::ColumnValue sent(storage::ColumnType type, const std::optional<FilterValue>& value);

storage::ColumnValue int4(std::int32_t value);
storage::ColumnValue text(std::string value);

Filter compare(std::size_t column, Filter::Comparison comparison, FilterValue value);
Filter equal(std::size_t column, FilterValue value);
Filter is_null(std::size_t column);
Filter none_of(Filter child);  ///< NOT
Filter all_of(std::vector<Filter> children);
Filter any_of(std::vector<Filter> children);

/// What a WHERE clause says of a row, nothing being unknown: plainly, condition by condition.
std::optional<bool> truth(const Filter& filter, const std::vector<std::optional<FilterValue>>& row);

}  // namespace veer::index::test
