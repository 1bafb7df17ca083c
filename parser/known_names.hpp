#pragma once

#include <string_view>

namespace veer::parser {

/// What PostgreSQL's and pgvector's own names stand for, as far as it matters to somebody who
/// evaluates an expression on more rows than asked for. A name that is in none of these may do
/// anything.

/// Stable or immutable, and fails for no row's value unless it fails for every row.
bool is_total_function(std::string_view name);

/// pgvector's functions of two vectors, which fail where dimensions differ. They are total as well:
/// vectors of one column mostly have as many.
bool is_distance_function(std::string_view name);

/// Stable or immutable, but some value may make it fail.
bool is_partial_function(std::string_view name);

bool is_aggregate(std::string_view name);

/// RANK() and its like, which number rows in an order.
bool is_rank(std::string_view name);

/// The other window functions.
bool is_window_function(std::string_view name);

/// A type whose input function and casts have no effects; by its own and by SQL's name.
bool is_known_type(std::string_view name);

/// One of them that any value can be cast to.
bool is_text_type(std::string_view name);

/// One of pgvector's, which may be in any schema.
bool is_vector_type(std::string_view name);

/// An operator that may overflow or divide by zero.
bool is_arithmetic(std::string_view name);

}  // namespace veer::parser
