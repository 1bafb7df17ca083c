#pragma once

#include "storage/column_choice.hpp"
#include "storage/error.hpp"
#include "storage/source/connection.hpp"
#include "storage/source/slot.hpp"
#include "storage/source/stream.hpp"
#include "storage/table.hpp"

#include <string>

namespace veer::storage::sync {

/// A table as it was at a position of the log, and how to read it there.
struct TableAtPoint {
    source::Connection connection;  ///< in a transaction that sees it so, and keeps DDL off it
    Lsn point;                      ///< it sees exactly what commits before
    std::string publication_fingerprint;  ///< of the table
};

struct PointRequest {
    const source::ConnectOptions& options;
    const std::string& slot;                 ///< of a temporary one, for as long as this takes
    const std::string& publication;          ///< has the table
    const ColumnChoices& columns;            ///< as `table` was read with
    const source::SystemIdentity& identity;  ///< of the server that the stream comes from
};

/// Makes a temporary slot for its consistent point and snapshot, imports and locks. `catalogue` is
/// any connection to the same server. Fails where the table is not what it was when `table` was
/// read, which must have been before: a rewrite between snapshot and lock would make it look empty.
Result<TableAtPoint> open_at_point(
    const PointRequest& request, source::Connection& catalogue, const Table& table
);

}  // namespace veer::storage::sync
