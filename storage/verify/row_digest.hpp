#pragma once

#include "storage/row.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace veer::storage::verify {

/// What a row comes to, the same number here and in Postgres:
///
///     the first 8 bytes of sha256( RowKey | each of Table::vectors, of Table::copied )
///         value:   00                                   NULL
///                  01 be32 length | binary send format
///                  01 be32 16 | foreign_digest() of that       of a column that is no vector
///
/// The key is part of it, so that equal vectors of two rows do not cancel out in a range's sum.
std::uint64_t row_digest(const Table& table, const Row& row);

/// A range of rows: how many, and the exclusive or of their digests. Ranges that differ in any row
/// have the same sum once in 2^64.
struct RangeSum {
    std::uint64_t rows = 0;
    std::uint64_t digests = 0;

    void add(std::uint64_t digest) {
        ++rows;
        digests ^= digest;
    }

    friend bool operator==(const RangeSum&, const RangeSum&) = default;
};

/// pg_type.typsend of the types of a table, by their OIDs, ready to be called.
using SendFunctions = std::map<std::uint32_t, std::string>;

/// A column's name as SQL has it.
std::string quoted(std::string_view name);

/// The expression of a row's RowKey, as bytea.
std::string key_sql(const Table& table, const SendFunctions& send);

/// The expression of a row's digest, as bigint.
std::string digest_sql(const Table& table, const SendFunctions& send);

}  // namespace veer::storage::verify
