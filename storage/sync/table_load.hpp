#pragma once

#include "storage/error.hpp"
#include "storage/store/view.hpp"
#include "storage/sync/progress.hpp"
#include "storage/table.hpp"

#include <functional>

namespace veer::storage::sync {

/// Tells the observer all rows of a table that are in the store: after a restart, and once they
/// have been copied. The next rows are read and decoded while the last ones are put in the index:
///
///     a thread: store ─▶ [ at most 4 batches ] ─▶ observer, on the caller's thread
///
/// A batch is at most 1,000 rows or about 8 MB. Fails where a row does not have the table's
/// columns, and where `interrupted` does.
Result<void> load_table(
    const store::View& view,
    const Table& table,
    Progress& progress,
    const std::function<Result<void>()>& interrupted
);

}  // namespace veer::storage::sync
