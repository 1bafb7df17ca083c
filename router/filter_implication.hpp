#pragma once

#include "index/filter.hpp"

namespace veer::router {

/// Whether `conclusion` is true of every row of which `premise` is true. Both are about the same
/// columns. Never true where it is not so; where it is so, often: as PostgreSQL's own
/// predicate_implied_by(), and a little more.
///
///     category = 3                  implies   category IN (3, 4), category < 10, category IS NOT
///                                             NULL, and category = 3 OR archived
///     price > 20 AND NOT archived   implies   price > 10, NOT archived, price <> 5
///     category = 3 OR category = 4  implies   category < 10
bool implies(const index::Filter& premise, const index::Filter& conclusion);

}  // namespace veer::router
