#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/source/connection.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace veer::storage::source {

/// Begins the transaction that the copy runs in, and keeps DDL off the tables until it ends. To be
/// called before the slot's snapshot is made: after a table rewrite that commits in between, the
/// table would look empty in the snapshot, and nothing of it would come with the stream.
Result<void> lock_tables(Connection& connection, const std::vector<Table>& tables);

/// Makes the transaction of lock_tables() see what `snapshot_name` sees. Must be its next
/// statement.
Result<void> import_snapshot(Connection& connection, const std::string& snapshot_name);

/// Receives rows, at most 1,000 or about 8 MB at a time.
using RowSink = std::function<Result<void>(std::span<const Row>)>;

/// Copies keys and vectors of one table.
Result<void> copy_table(Connection& connection, const Table& table, const RowSink& sink);

}  // namespace veer::storage::source
