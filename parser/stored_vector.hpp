#pragma once

#include "parser/expression.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace veer::parser {

/// Reads a query vector that stands in a row: (SELECT e FROM t WHERE id = $1). Nothing for any
/// other node, and where the sub-select may have effects, or is of more than one table.
std::optional<StoredVector> read_stored_vector(const PgQuery__Node* node);

/// Just past the parenthesis that closes the one at `begin`; nothing where there is none.
std::optional<std::size_t> end_of_parenthesis(std::string_view text, std::size_t begin);

}  // namespace veer::parser
