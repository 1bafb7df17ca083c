#pragma once

#include "parser/normalise.hpp"
#include "parser/statement.hpp"

#include <string_view>

namespace veer::parser {

/// Longest normalised statement that is parsed; libpg_query does not check its stack, so depth is
/// bounded by length and by parenthesis nesting (WIRE.md 3.7).
inline constexpr std::size_t inspected_bytes_max = std::size_t{16} * 1024;
inline constexpr std::size_t nesting_max = 64;

/// True where one of pgvector's distance operators' characters occur: <-> <=> <#> <+> <~> <%>.
/// A statement for which this is false needs no parsing (WIRE.md 3.7).
bool mentions_distance_operator(std::string_view sql);

/// Turns a normalised statement's text into facts, or says why not. Thread-safe, no state; about
/// 50 us, so callers cache by the text. `clauses` are positions in the *normalised* text:
/// NormalisedStatement::original_position() turns it into one of the text at hand.
Recognition recognise(std::string_view normalised_text);

}  // namespace veer::parser
