#pragma once

#include "parser/statement.hpp"

#include <string>

namespace veer::router {

/// Of column::halfvec(n), and of rows chosen by binary_quantize(column)::bit(n): that PostgreSQL
/// itself would search an index on that expression, of all rows, and that the names in it mean
/// pgvector's own. Without one its answer is exact; with it, each row's value is known to be
/// castable. To be added to the facts question, whose table is c; empty for any other search.
std::string expression_condition(const parser::NearestNeighbourQuery& query);

}  // namespace veer::router
