#pragma once

#include "storage/error.hpp"
#include "storage/lsn.hpp"
#include "storage/partitions.hpp"
#include "storage/source/connection.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace veer::storage::source {

/// A partition that had no row at one moment, and was one of its table then. Whoever commits to it
/// at `since` or later began after it was attached, and the stream tells of all of that as of the
/// table's rows: ATTACH waits for whoever writes to it, and CREATE ... PARTITION OF shows it to
/// nobody before.
struct EmptyPartition {
    std::string state;  ///< PartitionList's
    Lsn since;
};

using EmptyPartitions = std::map<TableOid, EmptyPartition>;

/// Which of these partitions of the table are empty. Nothing where its partitions are not those
/// that are listed any more. What veer's role may not read, or somebody has locked, or what are too
/// many to look at, is not said to be empty.
Result<std::optional<EmptyPartitions>> find_empty(
    Connection& connection,
    TableOid table,
    const PartitionList& listed,
    const std::set<TableOid>& asked
);

}  // namespace veer::storage::source
