#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/table_failures.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace veer::storage::sync {

/// Applies a transaction that is too large for memory to the store, part by part
/// (store::CommitRecord). What is "unchanged" in a part, the parts before it have left in the
/// store.
class LargeCommit {
  public:
    struct Part {
        std::vector<Change> changes;  ///< to complete tables; nothing is unchanged
        std::vector<Change> spooled;  ///< to the joining one
        std::uint32_t first = 0;      ///< places: from this one
        std::uint32_t next = 0;       ///< to before this one
        TableFailures lost;           ///< tables of which a row was not known: nothing is left
    };

    /// `record` is in the store. `spool_max` bytes of the joining table are kept; 0 is no bound.
    LargeCommit(store::Store& store, store::CommitRecord record, std::uint64_t spool_max);

    /// The next part, nothing at the end. Errc::gone where the changes are not what was written,
    /// Errc::disk where they cannot be read now.
    Result<std::optional<Part>> next(const std::vector<Table>& complete);

    /// Applies it, as one batch. A file of which all is applied, durably, is removed: the rows are
    /// on disk once, but for 64 MB.
    Result<void> write(const Part& part);

    /// True where the joining table's spool was full: what came later is not in it. The store knows
    /// this commit as one that its copy cannot use (Store::note_unreadable).
    bool spool_full() const { return spool_full_; }

  private:
    bool counts(const store::SpilledChange& change) const;
    Result<void> bound_spool();

    store::Store& store_;
    store::CommitRecord record_;
    store::TransactionReader reader_;
    std::uint64_t spool_max_;
    bool spool_full_ = false;
};

/// Ends what an earlier life has begun, if anything, before anything else is done with the store. A
/// table of which a row is lost leaves. `going_on` is asked before each part, and ends it by
/// failing; it is gone on with when this is called again.
Result<void> finish_commit(
    store::Store& store, std::uint64_t spool_max, const std::function<Result<void>()>& going_on
);

}  // namespace veer::storage::sync
