#pragma once

#include "storage/error.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/progress.hpp"

namespace veer::storage::sync {

/// Applies the oldest page of a joining table's spool to its rows, and returns how many changes
/// that were: 0 where the spool is empty. What committed before `consistent_point` is in the copied
/// rows already, and is thrown away. Errc::gone where the rows are not what they should be.
Result<std::size_t> replay_spool(
    store::Store& store, Progress& progress, TableOid table, Lsn consistent_point
);

}  // namespace veer::storage::sync
