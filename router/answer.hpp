#pragma once

#include "index/route_index.hpp"
#include "parser/statement.hpp"
#include "router/route.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace veer::router {

/// One column of an answer, in RowDescription's terms (manual 55.7).
struct OutputField {
    std::string name;
    std::uint32_t table_oid = 0;
    std::int16_t attnum = 0;
    std::uint32_t type_oid = 0;
    std::int16_t type_length = -1;
    std::int32_t typmod = -1;
    std::int16_t format = 0;  ///< 0 text, 1 binary
};

/// The rows that Postgres would return, each value in its field's format.
struct Answer {
    std::vector<OutputField> fields;
    std::vector<std::vector<std::optional<std::string>>> rows;
};

/// Positions in Table::copied of the outputs that are not of the key, in their order: what
/// answer_from_hits() expects as Hit::values.
std::vector<std::size_t> copied_outputs(
    const storage::Table& table, const parser::NearestNeighbourQuery& query
);

/// Whether text_of() can write the column's values: no setting changes how they look.
bool has_plain_text(const storage::Column& column);

/// The answer to a search that is answerable_locally().
/// `hits` are the rows wanted, OFFSET already taken off. `formats` are Bind's result format codes:
/// none (text), one for all, or one each. Nothing where the codes are not that, or a key is not of
/// its column's type.
std::optional<Answer> answer_from_hits(
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    std::span<const index::Hit> hits,
    std::span<const std::int16_t> formats
);

}  // namespace veer::router
