#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/source/connection.hpp"

#include <functional>
#include <string>
#include <vector>

namespace veer::storage::source {

/// Begins the transaction that a copy runs in, which sees what `snapshot_name` sees, and keeps DDL
/// off the table until it ends. The snapshot comes first: whoever holds the lock while a slot is
/// made waits for a TRUNCATE that waits for the lock. So the catalogue has to be compared
/// afterwards: after a rewrite in between, the table looks empty in the snapshot, and nothing of it
/// comes with the stream.
Result<void> begin_copying(
    Connection& connection, const std::string& snapshot_name, const Table& table
);

/// Receives rows, at most 1,000 or about 8 MB at a time, and how many bytes Postgres sent of them.
using RowSink = std::function<Result<void>(std::vector<Row>&&, std::size_t bytes)>;

/// Copies keys, vectors and copied columns of those rows of a table that meet a condition of SQL.
Result<void> copy_rows(
    Connection& connection, const Table& table, const std::string& condition, const RowSink& sink
);

}  // namespace veer::storage::source
