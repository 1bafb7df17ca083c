#pragma once

#include "parser/statement.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

namespace veer::parser {

/// What the tokens of a text tell before, and beside, its tree.
///
///     SELECT a, (b + c) FROM t ORDER BY e <-> $1 LIMIT 5
///     ~~~~~~    ^ depth 1                     ~~ parameters = 1
///     first word
struct Shape {
    /// Set where the text must not reach libpg_query: it has no stack check, and recurses (as does
    /// protobuf-c) once for each level of parentheses and each link of a chain such as a AND b AND
    /// c or NOT NOT a.
    std::optional<Refusal> refusal;

    enum class Begin : unsigned char { select, parenthesis, other };

    Begin begin = Begin::other;

    std::uint32_t parameters = 0;  ///< the highest $n of the client's own
};

/// The client's own $n that a text mentions.
std::set<std::uint32_t> parameters_in(std::string_view text);

/// Scans a text once; linear, any bytes.
Shape scan_shape(std::string_view text);

}  // namespace veer::parser
