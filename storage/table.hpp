#pragma once

#include "storage/foreign_vector.hpp"
#include "storage/vector.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::storage {

/// pg_class.oid of a table: its identity; names are only for routing.
struct TableOid {
    std::uint32_t value = 0;

    // clang-tidy 14 takes the 0 of a rewritten < for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const TableOid&, const TableOid&) = default;
};

/// One column as pg_attribute has it.
struct Column {
    std::string name;
    std::int16_t attnum = 0;
    std::uint32_t type_oid = 0;
    std::int16_t type_length = 0;  ///< pg_type.typlen, -1 for variable length
    std::int32_t typmod = -1;
    bool not_null = false;
    VectorKind kind = VectorKind::vector;  ///< of a column among Table::vectors
    VectorForm form = VectorForm::native;  ///< the same
    std::int32_t declared_dimensions = 0;  ///< where the form is not native

    /// Of a column among Table::vectors; below 1 where they are not fixed.
    std::int32_t dimensions() const {
        return form == VectorForm::native ? typmod : declared_dimensions;
    }

    friend bool operator==(const Column&, const Column&) = default;
};

/// An `hnsw` or `ivfflat` index of pgvector on one plain column (no expression), or what the
/// configuration declares as if it were one: then without a name and a method.
struct AnnIndex {
    std::string name;
    std::string method;         ///< "hnsw" or "ivfflat"
    std::size_t vector = 0;     ///< position in Table::vectors
    std::string operator_name;  ///< "<->", "<=>", "<#>", "<+>", "<~>", "<%>"
    std::uint32_t operator_oid = 0;
    std::uint32_t m = 16;
    std::uint32_t ef_construction = 64;
    bool declared = false;  ///< of columns that pgvector can have no such index on
    /// Position in Table::vectors, of a declared one: where the other column is NULL, this one's
    /// vector counts, as in coalesce(vector, legacy).
    std::optional<std::size_t> legacy = std::nullopt;
    std::uint32_t type_oid = 0;  ///< of a declared one: that of the type vector
    /// pgvector has none of all rows, but of those of one or more predicates. The copy has all.
    bool partial = false;
    /// DeclaredIndex::states_parameters; not stored, and no difference between two.
    bool states_parameters = false;

    /// Finds the same among the same rows, whatever it is called and made of.
    bool same_order(const AnnIndex& other) const;

    friend bool operator==(const AnnIndex& one, const AnnIndex& other) {
        return one.same_order(other) && one.name == other.name && one.method == other.method &&
               one.m == other.m && one.ef_construction == other.ef_construction &&
               one.partial == other.partial;
    }
};

/// A table that veer copies: what the catalogue said when the copy was made.
///
/// Invariants:
/// 1. `key` and `vectors` are positions in `columns`; `key` is the replica identity (the primary
///    key, or the columns of REPLICA IDENTITY USING INDEX), all NOT NULL.
/// 2. `columns` lists the live columns in attnum order.
/// 3. `copied` are positions in `columns`, too, ascending: the columns whose values every Row has,
///    each with a ColumnType. Those of the key can be among them.
/// 4. Two equal values describe the same rows and meanings: a copy made under one is valid under
///    the other. `fingerprint` covers what the other members do not, see same_values().
/// 5. Who answers from `copied` columns for a role must see, as with key and vectors, that the role
///    may SELECT them and that `copied_fingerprint` still holds.
struct Table {
    TableOid oid;
    std::string schema;
    std::string name;
    std::vector<Column> columns;
    std::vector<std::size_t> key;
    std::vector<std::size_t> vectors;
    std::vector<AnnIndex> indexes;
    std::string fingerprint;
    std::vector<std::size_t> copied = {};
    std::string copied_fingerprint = {};  ///< as `fingerprint`, of the columns of `copied`
    double estimated_rows = 0;            ///< pg_class.reltuples at discovery, -1 where unknown
    /// attnums of those of `copied` that the configuration names, as discovered.
    std::vector<std::int16_t> named = {};
    std::int16_t chosen_from = 0;  ///< the last attnum that there was when `copied` was chosen

    /// What an index of it is on, as people name it: "embedding", "coalesce(embedding, old)".
    std::string source_of(const AnnIndex& index) const;

    /// Same rows and meanings; the last three do not count.
    bool same_shape(const Table& other) const;

    /// A copy of the one is a copy of the other, row for row and index for index, whatever has
    /// become of names, privileges and other columns. Where the configuration declares what
    /// pgvector has an index of, too, that may come and go.
    bool same_rows(const Table& other) const;
};

/// One column of Table::fingerprint, of the row `a` of pg_attribute. Whoever makes a fingerprint
/// uses these: a session of a client compares its own with the copy's.
inline constexpr std::string_view fingerprint_version_sql =
    "pg_catalog.concat(a.xmin::pg_catalog.text, ',')";
inline constexpr std::string_view fingerprint_definition_sql =
    "pg_catalog.concat(a.attnum, ' ', a.atttypid, ' ', a.atttypmod, ' ', a.attname, ',')";

/// Compares two fingerprints of a table:
///
///     701,700, | 16390          | 1 20 -1 id,2 16385 3 emb,     without the spaces around |
///     xmin     | relfilenode    | attnum, type, typmod, name of every key and vector column, or
///                                 of every column of Table::copied
///
/// A definition that differs is another copy. Where it is the same, the values are other ones only
/// if ALTER TYPE ... USING rewrote them, and that alone makes both xmin and relfilenode new: GRANT
/// and SET STATISTICS leave the file as it is, VACUUM FULL and TRUNCATE the columns
/// (REPLICATION.md 2.6).
bool same_values(std::string_view fingerprint, std::string_view other);

/// The table as `copy` has it: without the columns of `copied` that were added since, so that
/// ADD COLUMN alone is not another copy. What is named, or was there, is wanted all the same.
Table as_copied(Table found, const Table& copy);

}  // namespace veer::storage
