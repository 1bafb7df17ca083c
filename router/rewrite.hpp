#pragma once

#include "index/route_index.hpp"
#include "parser/statement.hpp"
#include "router/route.hpp"
#include "router/search.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace veer::router {

/// The client's own statement, restricted to the keys that veer found:
///
///     SELECT * FROM docs ORDER BY e <-> $1 LIMIT 5
///     SELECT * FROM docs WHERE "docs"."id" OPERATOR(pg_catalog.=) ANY (...) ORDER BY e <-> $1
///     LIMIT 5
///     SELECT * FROM docs WHERE a OR b ORDER BY e <-> $1 LIMIT 5
///     SELECT * FROM docs WHERE(a OR b ) AND "docs"."id" OPERATOR(pg_catalog.=) ANY (...) ORDER BY
///     ...
///
/// Nothing else of the text changes, so that projection, privileges, visibility, types and exact
/// distances stay Postgres' business. Keys come out of users' rows: text is escaped for a plain
/// literal, which is right only with standard_conforming_strings on and UTF8 (Circumstances::utf8
/// asserts both).
///
/// `clauses` are positions in `statement`. Nothing where a key is not readable. Requires at least
/// one hit.
std::optional<std::string> restrict_to_keys(
    std::string_view statement,
    const parser::Clauses& clauses,
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    std::span<const index::Hit> hits
);

/// Counts the rows that a search inside of another statement has under these keys, as the whole
/// statement's answer does not tell:
///
///     SELECT s.id FROM (SELECT id FROM docs ORDER BY e <-> $2 LIMIT 5) s WHERE s.id > $1
///     SELECT count(*) FROM (SELECT id FROM docs WHERE ... ORDER BY e <-> $2 LIMIT 5) WHERE $1 ...
///
/// Parameters that are only outside of it are mentioned, so that Postgres can tell their types.
/// `restricted` is what restrict_to_keys() made of the statement.
std::string count_rows(
    std::string_view restricted,
    const parser::Clauses& clauses,
    std::size_t statement_bytes,
    std::span<const ParameterValue> parameters
);

/// A WHERE clause that is true and mentions the parameters that are not `inside` and whose types
/// Postgres has to infer; empty where there are none.
std::string mention_parameters(
    const std::set<std::uint32_t>& inside, std::span<const ParameterValue> parameters
);

/// A position that Postgres names in a message about what restrict_to_keys() has made of
/// `statement`, or (`counted`) about what count_rows() has made of that: its place in `statement`.
std::size_t position_in_statement(
    std::string_view statement,
    const parser::Clauses& clauses,
    std::string_view restricted,
    bool counted,
    std::size_t position
);

/// Whether a parameter of a type that Postgres has to infer stands both in the search and around
/// it: then what it infers for the search alone may be another type.
bool shares_inferred_parameters(
    std::string_view statement,
    const parser::Clauses& clauses,
    std::span<const std::uint32_t> parameter_types
);

/// "name", quotes doubled.
std::string quote_identifier(std::string_view name);

/// A plain '...' literal; requires standard_conforming_strings on.
std::string plain_literal(std::string_view text);

/// An E'...' literal, whatever standard_conforming_strings is. Requires ASCII, or client_encoding
/// UTF8: elsewhere a backslash may be half of a character.
std::string escaped_literal(std::string_view text);

/// The condition alone, for a table of this alias: "t"."id" OPERATOR(pg_catalog.=) ANY (...).
std::optional<std::string> key_condition(
    const storage::Table& table, std::string_view alias, std::span<const index::Hit> hits
);

/// "t"."id" OPERATOR(pg_catalog.=) ANY (array), and such an array: '{"1","2"}'::pg_catalog.int8[].
/// Both of a table whose key is one column.
std::string any_of(const storage::Table& table, std::string_view alias, const std::string& array);
std::optional<std::string> key_array(const storage::Table& table, std::span<const index::Hit> hits);

}  // namespace veer::router
