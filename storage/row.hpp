#pragma once

#include "storage/lsn.hpp"
#include "storage/table.hpp"
#include "storage/vector.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::storage {

/// The replica-identity columns of one row, each in its type's binary send format:
///
///     be32 length | bytes | be32 length | bytes ...        (one pair for each key column)
///
/// Equal rows have equal bytes, because veer accepts only key types whose send format is canonical
/// (is_key_type()).
using RowKey = std::string;

/// Splits a RowKey into its columns' bytes. Empty where the bytes are not a RowKey.
std::vector<std::string_view> key_columns(std::string_view key);

/// Appends one column's binary form to a RowKey under construction.
void append_key_column(RowKey& key, std::string_view bytes);

struct NullVector {
    friend bool operator==(const NullVector&, const NullVector&) = default;
};

/// "Unchanged TOAST": the value that the store already has for this row stays (REPLICATION.md 2.3).
struct UnchangedVector {
    friend bool operator==(const UnchangedVector&, const UnchangedVector&) = default;
};

/// What stands in a column that is declared to hold vectors, and is none (VectorForm).
struct ForeignVector {
    std::optional<Vector> vector;  ///< nothing where it cannot be read
    std::string digest;            ///< foreign_digest() of what Postgres has sent

    friend bool operator==(const ForeignVector&, const ForeignVector&) = default;
};

using VectorValue = std::variant<NullVector, UnchangedVector, Vector, ForeignVector>;

/// Null where there is none: NULL, unchanged, or not to be read.
const Vector* vector_in(const VectorValue& value);

struct NullValue {
    friend bool operator==(const NullValue&, const NullValue&) = default;
};

/// As UnchangedVector.
struct UnchangedValue {
    friend bool operator==(const UnchangedValue&, const UnchangedValue&) = default;
};

/// A value in its type's binary send format, of the length that the type has.
using ColumnValue = std::variant<NullValue, UnchangedValue, std::string>;

/// One row as veer keeps it: its key, one value for each of Table::vectors, and one for each of
/// Table::copied.
struct Row {
    RowKey key;
    std::vector<VectorValue> vectors;
    std::vector<ColumnValue> values = {};

    friend bool operator==(const Row&, const Row&) = default;
};

/// INSERT or UPDATE. `old_key` is set only where an UPDATE changed the key.
struct Upsert {
    TableOid table;
    std::optional<RowKey> old_key;
    Row row;

    friend bool operator==(const Upsert&, const Upsert&) = default;
};

struct Delete {
    TableOid table;
    RowKey key;

    friend bool operator==(const Delete&, const Delete&) = default;
};

struct Truncate {
    std::vector<TableOid> tables;

    friend bool operator==(const Truncate&, const Truncate&) = default;
};

using Change = std::variant<Upsert, Delete, Truncate>;

/// One committed transaction of the stream, its changes in order.
struct Transaction {
    Lsn commit_lsn;
    Lsn end_lsn;  ///< resume here: START_REPLICATION at end_lsn does not send it again
    std::vector<Change> changes;
    std::uint32_t xid = 0;
    std::int64_t timestamp = 0;  ///< of the commit, microseconds since 2000-01-01

    friend bool operator==(const Transaction&, const Transaction&) = default;
};

}  // namespace veer::storage
