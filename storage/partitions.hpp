#pragma once

#include "storage/table.hpp"

#include <map>
#include <string>
#include <string_view>

/// Partitioned tables: one table of the copy each, whose rows are those of all their partitions.
namespace veer::storage {

/// The middle part of Table::fingerprint, of the row `c` of pg_class.
inline constexpr std::string_view fingerprint_file_sql = "c.relfilenode::pg_catalog.text";

/// Of a partitioned table `c`: all its partitions, at every level, and itself, each with what would
/// be another one if something became of its rows of which the stream of the table tells nothing:
/// that it came with rows, or went (each has another row of pg_inherits then), was truncated
/// (another file), or is no longer logged by the key.
///
///     16390 0 p p d,16393 16393 r p d 742,...
///     oid, relfilenode, relkind, relpersistence, relreplident, xmin of pg_inherits
inline constexpr std::string_view partition_list_sql =
    "(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', l.oid, l.relfilenode, l.relkind,"
    " l.relpersistence, l.relreplident, h.xmin), ',' ORDER BY l.oid)"
    " FROM pg_catalog.pg_partition_tree(c.oid) t"
    " JOIN pg_catalog.pg_class l ON l.oid OPERATOR(pg_catalog.=) t.relid::pg_catalog.oid"
    " LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid OPERATOR(pg_catalog.=) l.oid)";

/// In the place of the file: a digest of that list. To same_values() another digest is other
/// values, whatever the columns are; whether it is all the same, sync/partition_changes.hpp decides
/// between two looks.
///
///     701,700, | tree 74d36c43... | 1 20 -1 id,2 16385 3 emb,
std::string fingerprint_tree_sql(std::string_view list = partition_list_sql);

/// What partition_list_sql says: of each partition all behind its oid.
using PartitionList = std::map<TableOid, std::string>;

PartitionList parse_partitions(std::string_view text);

/// False of a partition that has partitions itself.
bool has_rows(std::string_view state);

/// Of each partitioned table.
using Partitions = std::map<TableOid, PartitionList>;

bool is_partitioned(const Table& table);

/// The table as `copy` has it, but for what its fingerprints say of partitions: that is `now`'s.
Table with_partitions_of(Table copy, const Table& now);

/// What stands before its name in FROM and LOCK TABLE, for its own rows and no child's.
std::string_view only(const Table& table);

}  // namespace veer::storage
