#pragma once

#include "index/filter.hpp"
#include "storage/column_type.hpp"
#include "storage/row.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace veer::index::test {

/// Where choices come from: a seeded engine, or the bytes of a fuzzer's input.
using Draw = std::function<std::uint64_t()>;

/// A row's values, NULL among them.
using Values = std::vector<std::optional<FilterValue>>;

/// One column of each type that has one value a row.
const std::vector<storage::ColumnType>& drawn_types();

/// One of few values of each type, the extremes among them; every fifth is NULL.
Values any_row(const Draw& draw);

/// As Postgres sends it.
std::vector<storage::ColumnValue> sent(const Values& row);

/// Of conditions on those columns, nested so deep at most.
Filter any_filter(const Draw& draw, int depth);

}  // namespace veer::index::test
