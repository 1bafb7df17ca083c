#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/store/copy_record.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/resolve.hpp"

#include <functional>
#include <set>
#include <span>
#include <vector>

namespace veer::storage::sync {

/// Makes rows that were read in several snapshots those of the last one:
///
///     rows as of C1, or C2, ... Cn        the spool from C1 on
///         │                                 │  changes with C1 <= commit < Cn, in order
///         └────────────▶ changed ◀──────────┘
///                           │     keys whose row cannot be told from these, as Cn's snapshot
///                           ▼     has them
///                        rows as of Cn
///
/// Why that is right, for every key: the changes of it that commit in between come in their order,
/// and most have all of the row. Where one says "unchanged", it means the row that was there then:
///
/// 1. There is none in the store: it was moved, by an UPDATE, from a page that was read later into
///    one that was read before. The key is asked for.
/// 2. The key was changed: whether what the store has under the old key is the row that was moved,
///    or one that has taken the key since, nobody can tell. The new key is asked for.
/// 3. Else it is the same row, perhaps as it was later: then what has changed since comes with the
///    changes that follow, and what has not is what is meant.
///
/// The spool stays as it is until all is done: whatever is cut short is done again, from C1 on.
class SnapshotMerge {
  public:
    /// The rows of these keys as the last snapshot has them; those that it does not have are left
    /// out.
    using Fetch = std::function<Result<std::vector<Row>>(const std::vector<RowKey>& keys)>;

    /// More keys than these are not asked for: the table is copied anew.
    static constexpr std::size_t keys_max = 500'000;

    explicit SnapshotMerge(TableOid table) : table_{table} {}

    /// Returns the changes of a page without anything unchanged, and notes the keys that are to be
    /// asked for. `lookup` is of the rows as the pages before have left them.
    Result<std::vector<Change>> take(std::span<const Change> page, const RowLookup& lookup);

    const std::set<RowKey>& unknown() const { return unknown_; }

  private:
    TableOid table_;
    std::set<RowKey> unknown_;
};

/// Does all of it: requires that the spool has everything that commits before `record.last`, and
/// leaves `record.first` at it, in the store as well.
Result<void> merge_snapshots(
    store::Store& store,
    store::CopyRecord& record,
    const SnapshotMerge::Fetch& fetch,
    const std::function<Result<void>()>& interrupted
);

}  // namespace veer::storage::sync
