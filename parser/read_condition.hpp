#pragma once

#include "parser/condition.hpp"
#include "parser/expression.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace veer::parser {

/// Reads the WHERE clause of a select of one table. What it does not understand is opaque; it never
/// fails. The depth of the tree is bounded by parser/shape.hpp.
Condition read_condition(const PgQuery__Node* where, const Source& source);

/// Whether WHERE keeps no row whose `column` is NULL: one of its terms is column IS NOT NULL, or
/// compares a distance from it.
bool excludes_nulls(const PgQuery__Node* where, const Source& source, const VectorColumn& column);

/// How often the text names each parameter, by its number.
std::map<std::uint32_t, unsigned> count_parameters(std::string_view text);

/// Adds how often the condition compares `column` with each parameter, as it comes.
void count_compared(
    const Condition& condition, std::string_view column, std::map<std::uint32_t, unsigned>& counts
);

/// Sets Operand::alone, by how often the whole text names each parameter.
void note_shared_parameters(std::string_view text, Condition& condition);

}  // namespace veer::parser
