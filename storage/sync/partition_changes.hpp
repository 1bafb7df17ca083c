#pragma once

#include "storage/partitions.hpp"
#include "storage/source/empty_partitions.hpp"

#include <set>

namespace veer::storage::sync {

/// What has become of a table's partitions between two looks at the catalogue, and whether its rows
/// can be followed over that.
enum class PartitionChange {
    none,
    followed,  ///< what came was empty, and what went had never got a row
    early,     ///< so it may be, once the stream has come as far as the look
    lost,      ///< rows may have come or gone of which the stream tells nothing
};

/// What is known beside the two lists.
struct PartitionFacts {
    const source::EmptyPartitions& empty;  ///< of those that came
    /// Partitions that came empty while the table was followed, and that the stream has not named
    /// since.
    const std::set<TableOid>& fresh;
    Lsn looked;    ///< who is in the look's snapshot has committed before
    Lsn position;  ///< of the stream: all that was committed before is applied
};

/// Those that are in the second list only.
std::set<TableOid> came_since(const PartitionList& before, const PartitionList& now);

/// Compares what the copy's rows are of with what there is now.
///
/// A partition that came empty has exactly the rows that the stream tells of, from EmptyPartition's
/// position on. Rows of before, which it has no longer, the stream must not find it known for: a
/// TRUNCATE of it is not told. So the list is taken only at that position, and what names the
/// partition before that fails its table. One that went without ever having been named takes no row
/// along; that it will not be named any more is sure only behind the look, too.
PartitionChange judge_partitions(
    const PartitionList& before, const PartitionList& now, const PartitionFacts& facts
);

}  // namespace veer::storage::sync
