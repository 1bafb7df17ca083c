#pragma once

#include "index/filter.hpp"
#include "parser/condition.hpp"
#include "router/values.hpp"
#include "storage/table.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace veer::router {

/// What the index can tell of a statement's WHERE, from its copies of the columns.
///
///     category = 'a' AND price < $2 AND name LIKE 'x%'
///         filter: category = 'a' AND price < 10          whole: false, the rest is Postgres'
///
/// Invariants:
/// 1. Every row for which WHERE is true passes the filter; where `whole`, no other does.
/// 2. That holds while the operators are Postgres' own, collations are deterministic and the copied
///    columns are what they were: SessionFacts::copies_hold says so.
struct RowFilter {
    std::optional<index::Filter> filter = std::nullopt;
    bool whole = true;
};

/// With the values of one execution. What is doubtful is left out.
RowFilter row_filter(
    const parser::Condition& condition, const storage::Table& table, const Values& values
);

/// Whether row_filter() can be whole, given suitable values.
bool evaluable(const parser::Condition& condition, const storage::Table& table);

/// Position among Table::copied; nothing where no column of this name is copied.
std::optional<std::size_t> copied_position(const storage::Table& table, const std::string& name);

/// Adds the positions in Table::copied of all copied columns that the condition is about.
void add_columns(
    const parser::Condition& condition,
    const storage::Table& table,
    std::vector<std::size_t>& columns
);

}  // namespace veer::router
