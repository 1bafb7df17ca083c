#pragma once

#include "parser/statement.hpp"
#include "router/reason.hpp"
#include "router/route.hpp"
#include "router/values.hpp"
#include "storage/vector.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::router {

/// A query vector that stands in a row is looked up by the client's own backend, before the search:
///
///     ORDER BY e <=> (SELECT e FROM docs WHERE id = $1)
///     SELECT v::text, type of v, position FROM (SELECT (SELECT e FROM docs WHERE id = $1) AS v
///     OFFSET 0)
///
/// so that rights, visibility and the meaning of every name are PostgreSQL's. The index is asked
/// when it has come to the position of the log: it then has all that the question could see.

/// The question. `text` is the client's sub-select in its parentheses. Parameters that are not in
/// it are mentioned, so that PostgreSQL can tell their types.
std::string stored_vector_query(std::string_view text, std::span<const ParameterValue> parameters);

/// True where a parameter's value could mean something else in the question than in the
/// statement: its type is inferred, and neither is the sub-select the only place that it is in, nor
/// is it compared with the same column everywhere.
bool may_be_inferred_otherwise(
    std::string_view statement,
    std::string_view text,
    const parser::StoredVector& stored,
    std::span<const ParameterValue> parameters
);

/// Whether the sub-select takes the vector of the row with a given key from the searched table.
bool is_by_key(const parser::NearestNeighbourQuery& query, const Route& route);

/// True where the question can raise no error, which would end a transaction: it is by key, and by
/// a value that veer itself can read as the key's type.
bool surely_answered(
    const parser::NearestNeighbourQuery& query, const Route& route, const Values& values
);

/// The vector in the answer's only row.
std::variant<storage::Vector, Reason> stored_vector(
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    const std::vector<std::optional<std::string_view>>& row
);

}  // namespace veer::router
