#pragma once

#include "index/filter.hpp"
#include "storage/column_type.hpp"
#include "storage/row.hpp"

#include <optional>
#include <span>

namespace veer::index {

/// Whether one row passes, of which only its copied values are at hand: as a search would find it.
/// Nothing where a value is unchanged, or the filter is not of these columns. Takes some
/// microseconds; searches have Predicate for all rows at once.
std::optional<bool> passes(
    const Filter& filter,
    std::span<const storage::ColumnType> types,
    std::span<const storage::ColumnValue> values
);

}  // namespace veer::index
