#pragma once

#include "storage/table.hpp"

#include <map>
#include <set>
#include <string_view>

/// Partitioned tables: one table of the copy each, whose rows are those of all their partitions.
namespace veer::storage {

/// The middle part of Table::fingerprint, of the row `c` of pg_class.
inline constexpr std::string_view fingerprint_file_sql = "c.relfilenode::pg_catalog.text";

/// In its place, where `c` is a partitioned table: a digest of all its partitions, at every level.
/// The stream of a partitioned table tells of none of this: that a partition came, with its rows,
/// or went (each has another row of pg_inherits then), was truncated (another file), or is no
/// longer logged by the key.
///
///     701,700, | tree 74d36c43... | 1 20 -1 id,2 16385 3 emb,
///
/// To same_values() another digest is other values, whatever the columns are.
inline constexpr std::string_view fingerprint_tree_sql =
    "(SELECT pg_catalog.concat('tree ', pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to("
    "pg_catalog.string_agg(pg_catalog.concat_ws(' ', l.oid, l.relfilenode, l.relkind,"
    " l.relpersistence, l.relreplident, h.xmin), ',' ORDER BY l.oid), 'UTF8')), 'hex'))"
    " FROM pg_catalog.pg_partition_tree(c.oid) t"
    " JOIN pg_catalog.pg_class l ON l.oid OPERATOR(pg_catalog.=) t.relid::pg_catalog.oid"
    " LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid OPERATOR(pg_catalog.=) l.oid)";

/// Those partitions of each partitioned table that have rows, at every level.
using Partitions = std::map<TableOid, std::set<TableOid>>;

bool is_partitioned(const Table& table);

/// What stands before its name in FROM and LOCK TABLE, for its own rows and no child's.
std::string_view only(const Table& table);

}  // namespace veer::storage
