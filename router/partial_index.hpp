#pragma once

#include "index/filter.hpp"
#include "parser/condition.hpp"
#include "router/values.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Tables of which pgvector has indexes of some rows only:
///
///     CREATE INDEX ON docs USING hnsw (e vector_cosine_ops) WHERE (category = 3)
///
/// veer's index has all rows. But where WHERE does not imply a predicate, PostgreSQL scans the
/// table and answers exactly, and so it shall.
///
///     pg_index.indpred ──facts──▶ IndexedRows ──┐
///     the statement's WHERE ───▶ said_of_rows() ┴─▶ serves()
///
/// Filters here are about columns by their position in storage::Table::columns, whether copied or
/// not: nothing is compared with rows.
namespace veer::router {

/// What pgvector's indexes of a column and an operator have.
struct IndexedRows {
    bool all = true;
    std::vector<index::Filter> parts = {};  ///< else one of these; of those that veer can read
};

/// What must be true of every row for which WHERE is; nothing where there is no knowing.
std::optional<index::Filter> said_of_rows(
    const parser::Condition& where, const storage::Table& table, const Values& values
);

/// Whether an index has all rows for which `told` is true.
bool serves(const IndexedRows& rows, const index::Filter* told);

/// A field of the facts query, of the route's table c: NULL where pgvector has no index on the
/// column for the operator, "" where it has one of all rows, else an array of predicates.
std::string predicates_field(std::int16_t attnum, std::uint32_t operator_oid);

/// Reads it.
IndexedRows decode_predicates(
    const std::optional<std::string_view>& field, const storage::Table& table
);

}  // namespace veer::router
