#pragma once

#include "index/route_index.hpp"
#include "storage/source/connection.hpp"
#include "storage/table.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace veer::proxy::candidate {

/// The statement that asks any Postgres for the rows nearest to a vector, and how its rows read:
///
///     SELECT encode(int8send("veer_t"."id"), 'hex'), ..., distance
///     FROM "public"."docs" AS "veer_t" [WHERE ...] ORDER BY distance LIMIT k      $1: the vector
///
/// 1. Everything is qualified or quoted: no search_path changes its meaning.
/// 2. Key and values come in the binary forms of their types, as hexadecimal digits: no setting of
///    the session changes a byte.
inline constexpr std::string_view table_alias = "veer_t";

/// "veer_t"."name"
std::string column_reference(const storage::Column& column);

/// "schema"."name" of a table.
std::string table_name(const storage::Table& table);

/// left OPERATOR("schema".<=>) $1::type
std::string distance_by_operator(
    const std::string& left,
    std::string_view schema,
    std::string_view operator_name,
    std::string_view type
);

/// "schema"."name"(left, $1::type)
std::string distance_by_function(
    const std::string& left,
    std::string_view schema,
    std::string_view function_name,
    std::string_view type
);

/// SELECT key, columns (positions in Table::copied), distance FROM table AS alias, and a space.
std::string select_rows(
    const storage::Table& table, std::span<const std::size_t> columns, const std::string& distance
);

/// A row of such a statement. Nothing where it is nobody's neighbour: it has no key, or no distance
/// (NULL, or a zero vector under cosine).
std::optional<index::Hit> read_row(
    const storage::source::QueryResult& result, int row, std::size_t key_columns
);

}  // namespace veer::proxy::candidate
