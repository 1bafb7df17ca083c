#pragma once

#include "parser/function_call.hpp"

#include <optional>
#include <string_view>

// libpg_query's names, so that its headers stay in .cpp files.
// NOLINTBEGIN(bugprone-reserved-identifier)
struct PgQuery__FuncCall;
struct PgQuery__RangeFunction;

// NOLINTEND(bugprone-reserved-identifier)

namespace veer::parser {

/// FROM f(...) [AS alias], without LATERAL, ORDINALITY, ROWS FROM or names for its columns.
bool is_plain(const PgQuery__RangeFunction& item);

/// Its call; null where it has anything but a name and arguments.
const PgQuery__FuncCall* call_of(const PgQuery__RangeFunction& item);

/// Reads a plain item of FROM. Nothing where an argument is no value that is the same wherever it
/// stands.
std::optional<FunctionCall> read_range_function(
    std::string_view text, const PgQuery__RangeFunction& item
);

}  // namespace veer::parser
