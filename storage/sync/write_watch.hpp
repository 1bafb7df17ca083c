#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/store/view.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace veer::storage::sync {

/// Keeps the copy of one table as it was at a position of the log that is not yet known, while the
/// stream goes on:
///
///     begin(t)      ask for C       C = 105 is known: the view before the first commit >= C
///        │                             ▼
///     ───┴── view, commit 101 ── view, commit 107 ── view, commit 110 ──▶ stream
///
/// and which of its rows were changed since.
///
/// Invariants:
/// 1. note() comes before the transaction is written: a view that has it finds it noted.
/// 2. Bounded: past `views_max` or `keys_max` it says that it does not know.
class WriteWatch {
  public:
    using ViewPtr = std::shared_ptr<const store::View>;

    static constexpr std::size_t views_max = 10'000;
    static constexpr std::size_t keys_max = 200'000;

    /// `view` makes one of the store as it is.
    explicit WriteWatch(std::function<ViewPtr()> view) : view_{std::move(view)} {}

    /// Before the position is asked for that view_at() is to be of.
    void begin(TableOid table);
    void end();

    /// The stream's thread: this transaction is about to be written.
    void note(const Transaction& transaction);

    /// The copy as of all commits before `point`. Requires that these have been written. To be
    /// called once; no more views are made after it.
    Result<ViewPtr> view_at(Lsn point);

    /// False where no commit at or after `point` has changed the row.
    bool touched(const RowKey& key, Lsn point) const;

  private:
    struct Moment {
        Lsn commit_lsn;
        ViewPtr before;
    };

    void note_key(const RowKey& key, Lsn commit_lsn);

    std::function<ViewPtr()> view_;
    mutable std::mutex mutex_;
    std::optional<TableOid> table_;
    bool viewing_ = false;
    std::deque<Moment> moments_;
    std::unordered_map<RowKey, Lsn> touched_;  ///< the last commit that changed it
    Lsn all_touched_;                          ///< the last commit that changed any row
};

}  // namespace veer::storage::sync
