#pragma once

#include "storage/column_choice.hpp"
#include "storage/error.hpp"
#include "storage/partitions.hpp"
#include "storage/source/connection.hpp"
#include "storage/table.hpp"

#include <string>
#include <vector>

namespace veer::storage::source {

/// A table or an index that veer leaves to Postgres, and what would have to change.
struct Refusal {
    std::string name;
    std::string reason;

    friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// What the upstream's catalogue says, at one moment.
struct Catalogue {
    std::string system_id;
    std::string database;
    std::vector<Table> tables;             ///< can be copied; in order of their OIDs
    std::vector<Refusal> refused;          ///< have a vector index, and cannot
    std::vector<Refusal> refused_columns;  ///< of `tables`: were asked for, and cannot
    Partitions partitions = {};            ///< of `tables`
};

/// Reads every table with a usable pgvector index, or with one that `wanted` declares by now. A
/// table is copied where all of this holds, and is refused with a reason otherwise:
///
/// 1. It is an ordinary, permanent table: no partition, no children, no row that veer's role cannot
/// see.
/// 2. A valid `hnsw` or `ivfflat` index on one plain column of type vector(n), halfvec(n), bit(n)
/// or
///    sparsevec(n), with one of pgvector's operator classes for the type (where only partial ones
///    are there, AnnIndex::partial says so; all rows are copied); or a declared index on columns
///    that hold vectors in one of the forms of VectorForm.
/// 3. A replica identity whose columns have canonical send formats (is_key_type()): the primary key
///    or REPLICA IDENTITY USING INDEX.
/// 4. The role may read those columns.
///
/// Of its other columns, those of `wanted` are copied that have a ColumnType, are not generated,
/// can be read by the role and, if text, have a deterministic collation. What is left out of those
/// that were asked for by name is refused by name; the table is copied all the same.
Result<Catalogue> discover(Connection& connection, const ColumnChoices& wanted = {});

}  // namespace veer::storage::source
