#pragma once

#include "parser/tree.hpp"

#include <optional>

namespace veer::parser {

/// A number that is computed from another one so that rows sorted by the one are sorted by the
/// other, too, or the other way round.
///
///     1 - x     x * -1     (2 - x) / 2     - x      falling: the largest x comes first
///     1 + x     x * 100                             rising
struct Monotone {
    const PgQuery__Node* operand = nullptr;  ///< x
    bool falling = false;
};

/// Nothing where the node is no such computation. x + 0 and x * 1 are none either: whoever writes
/// them wants PostgreSQL to sort (QUERIES.md A.3). Constants are such that no result overflows, or
/// swallows x.
std::optional<Monotone> read_monotone(const PgQuery__Node* node);

}  // namespace veer::parser
