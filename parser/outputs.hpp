#pragma once

#include "parser/effects.hpp"
#include "parser/expression.hpp"
#include "parser/statement.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::parser {

/// A select list as read, before it is known what the statement orders by.
///
///     SELECT id, 1 - (e <=> $1) AS sim, lower(a)  ->  {column "id"}, {similarity "sim"},
///     {expression}
struct Output {
    OutputColumn column;
    /// Where column's kind is distance or similarity, or it is another monotone function of it.
    std::optional<Distance> distance;
    std::optional<bool> falling = std::nullopt;  ///< of such a function: 1 - distance falls
    bool other_distance = false;                 ///< from something that veer does not evaluate
    Effects effects;
};

std::vector<Output> read_outputs(const PgQuery__SelectStmt& select, const Source& source);

/// The outputs as facts, unless one of them may have effects. A distance that does not measure as
/// `order` does is an expression among others.
std::variant<std::vector<OutputColumn>, Refusal> accept_outputs(
    const std::vector<Output>& outputs, const Distance& order
);

}  // namespace veer::parser
