#pragma once

#include "storage/error.hpp"
#include "storage/source/connection.hpp"

namespace veer::storage::source {

/// Checks what the whole upstream needs for logical replication: wal_level, the role's right to
/// replicate, that it is no standby. Fails with Errc::not_permitted and what exactly to change.
Result<void> preflight(Connection& connection);

}  // namespace veer::storage::source
