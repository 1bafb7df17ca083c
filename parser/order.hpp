#pragma once

#include "parser/expression.hpp"
#include "parser/outputs.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::parser {

/// ORDER BY, resolved to the distance that it means.
struct Order {
    Distance distance;
    std::optional<std::string> label;  ///< where it named an output by its label
    bool by_similarity = false;        ///< by a number computed from it: 1 - distance DESC
    bool tie_breakers = false;         ///< further keys follow
    bool nulls_last = false;           ///< as the text says, or by default
    Effects effects = {};              ///< of these
};

/// Reads the ORDER BY clause by Postgres' rule (findTargetlistEntrySQL92): a bare name is an
/// output's label first, a bare number an output's position, anything else an expression over the
/// table.
std::variant<Order, Refusal> read_order(
    const PgQuery__SelectStmt& select, const std::vector<Output>& outputs, const Source& source
);

}  // namespace veer::parser
