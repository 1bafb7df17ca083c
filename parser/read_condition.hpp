#pragma once

#include "parser/condition.hpp"
#include "parser/expression.hpp"

#include <string_view>

namespace veer::parser {

/// Reads the WHERE clause of a select of one table. What it does not understand is opaque; it never
/// fails. The depth of the tree is bounded by parser/shape.hpp.
Condition read_condition(const PgQuery__Node* where, const Source& source);

/// Sets Operand::alone, by how often the whole text names each parameter.
void note_shared_parameters(std::string_view text, Condition& condition);

}  // namespace veer::parser
