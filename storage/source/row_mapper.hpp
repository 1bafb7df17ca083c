#pragma once

#include "storage/column_type.hpp"
#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/source/binary_copy.hpp"
#include "storage/source/pgoutput.hpp"

#include <vector>

namespace veer::storage::source {

/// Turns one table's tuples of the stream into rows, as its last Relation message lays them out.
///
///     Relation columns:  note | id (key) | emb        Table::key, Table::vectors:  id; emb
///     keys_    = {1}
///     vectors_ = {2: vector(768)}
///     values_  = {1: bigint}                    Table::copied:  id
///
/// A Relation message carries names but no attribute numbers: columns are found by name, and their
/// type and type modifier (the dimensions) must be those of the discovered table.
class RowMapper {
  public:
    /// Fails with Errc::gone where the relation no longer is the table that was copied.
    static Result<RowMapper> make(const Table& table, const pgoutput::Relation& relation);

    /// Maps a new row; `u` becomes UnchangedVector or UnchangedValue. A key column can be `u` too,
    /// if it is long enough to be stored out of line; Postgres then sends the old row (`old`, else
    /// null) with its value.
    Result<Row> row(const pgoutput::TupleData& tuple, const pgoutput::TupleData* old) const;

    /// Maps an old row (K or O) to the key that it has.
    Result<RowKey> key(const pgoutput::TupleData& tuple) const;

  private:
    Result<RowKey> key_of(const pgoutput::TupleData& tuple, const pgoutput::TupleData* old) const;

    struct VectorColumn {
        std::size_t position;
        VectorKind kind;
        VectorForm form;
        std::int32_t dimensions;
    };

    struct ValueColumn {
        std::size_t position;
        ColumnType type;
    };

    Result<ColumnValue> value(const pgoutput::Field& field, ColumnType type) const;

    std::string name_;
    std::size_t column_count_ = 0;
    std::vector<std::size_t> keys_;
    std::vector<VectorColumn> vectors_;
    std::vector<ValueColumn> values_;
};

/// Maps a row of the copy: the key columns, the vectors and then the copied columns, in the order
/// of the Table.
Result<Row> row_of_copy(const Table& table, const BinaryCopyDecoder::Fields& fields);

}  // namespace veer::storage::source
