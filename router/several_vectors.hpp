#pragma once

#include "index/route_index.hpp"
#include "parser/statement.hpp"
#include "router/route.hpp"
#include "router/search.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// The client's own statement with a search for each of several vectors (parser::GivenVectors),
/// each of them restricted to the keys that veer found for it:
///
///     ... AS q (n, v) CROSS JOIN LATERAL (SELECT id FROM docs ORDER BY e <-> q.v LIMIT 5) r
///     ... AS q (n, v) CROSS JOIN LATERAL (SELECT id FROM docs WHERE "docs"."id" = ANY (CASE
///         WHEN "q"."v" = '[1,2]'::vector THEN '{7,3}'::int8[]
///         WHEN "q"."v" = '[3,4]'::vector THEN '{9,8}'::int8[] END) ORDER BY e <-> q.v LIMIT 5) r
///
/// 1. Keys of one vector are no rows of another's: else a row that is near to the one and dropped
///    for the other would be made up for by what is near to neither, and no count would tell.
/// 2. So the statement has LIMIT rows for each vector if and only if no search fell short.
/// 3. A vector that Postgres reads otherwise than veer has no keys: the answer is short.
///
/// `hits[i]` are those of the i-th vector, at least one each. `schema` is that of pgvector's
/// operators. Nothing where a key is not readable.
std::optional<std::string> restrict_each_to_keys(
    std::string_view statement,
    const parser::Clauses& clauses,
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    const Search& search,
    std::span<const std::vector<index::Hit>> hits,
    std::string_view schema
);

/// A vector's text, as its type reads it: [1,0.5], {1:1.5}/3. Not of bits.
std::string vector_text(const storage::Vector& vector);

}  // namespace veer::router
