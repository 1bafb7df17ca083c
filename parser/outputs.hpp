#pragma once

#include "parser/expression.hpp"
#include "parser/statement.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::parser {

/// A select list as read, before it is known what the statement orders by.
///
///     SELECT id, 1 - (e <=> $1) AS sim, count(*)  ->  {column "id"}, {similarity "sim"}, {other}
struct Output {
    /// Nothing where it is none of OutputColumn::Kind.
    std::optional<OutputColumn> column;
    std::optional<Distance> distance;       ///< where column's kind is distance or similarity
    std::string label;                      ///< as Postgres names it, as far as known; empty for *
    Refusal refusal = Refusal::projection;  ///< where column is absent: why
};

std::vector<Output> read_outputs(const PgQuery__SelectStmt& select, const Source& source);

/// The outputs as facts, if each is one and every distance among them measures as `order` does.
std::variant<std::vector<OutputColumn>, Refusal> accept_outputs(
    const std::vector<Output>& outputs, const Distance& order
);

}  // namespace veer::parser
