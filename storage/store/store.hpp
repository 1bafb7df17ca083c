#pragma once

#include "storage/change_spill.hpp"
#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/store/commit_record.hpp"
#include "storage/store/copy_record.hpp"
#include "storage/store/spool.hpp"
#include "storage/store/sync_state.hpp"
#include "storage/store/transaction_files.hpp"
#include "storage/store/view.hpp"

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rocksdb {
class WriteBatch;
}

namespace veer::storage::store {

/// Changes of one transaction to a table that is being copied, which nobody can apply yet.
struct Spool {
    TableOid table;
    Lsn commit_lsn;
    std::span<const Change> changes;
    std::uint32_t first = 0;  ///< place of the first of them
};

/// Changes in a table's spool, in their order.
struct SpoolPage {
    std::vector<Lsn> commits;  ///< the commit of each change
    std::vector<Change> changes;
    SpoolPlace last;  ///< of the last change; means nothing where there is none
};

/// Where to look in a spool: from a place on, for what commits before a position.
struct SpoolWindow {
    SpoolPlace from = {};
    Lsn before = {std::numeric_limits<std::uint64_t>::max()};
};

/// Keeps the rows of the copy and the position that they stand for, on disk.
///
///     write(changes, applied)      one RocksDB batch: all of it or nothing, whatever dies when
///              │                   (visible at once; survives a crash of veer)
///              ▼
///     sync() ─▶ applied            fsync: survives a crash of the machine; only now may the
///                                  upstream forget it
///
/// Invariants:
/// 1. The rows of state().tables are those of the upstream as of state().applied, when
/// state().phase
///    is `streaming`. What there is of other tables is of copies that are not complete.
/// 2. reset() is one batch too: there is no moment with new state and old rows.
/// 3. A failed call changed nothing. After Errc::disk the store may refuse all writes: close it and
///    open it again.
/// 4. One thread writes; a second may use up the spool of a table that is not in state().tables,
///    and several may write its rows. Reads may come from any thread.
/// 5. Memory is bounded: 64 MB of unflushed rows and a 64 MB cache.
class Store {
  public:
    /// Opens or makes the store in `directory` (mode 0700). Fails where another process has it
    /// open, and where another version of veer wrote it in a format that this one does not know.
    /// One of an older format is emptied: then there is no state(), and the tables are copied.
    static Result<Store> open(const std::string& directory);

    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;
    ~Store();

    /// Eight hexadecimal digits, drawn when the store was made: this veer's name towards Postgres.
    const std::string& instance() const;

    /// Returns nothing where there never was a copy.
    Result<std::optional<SyncState>> state() const;

    /// Forgets every row and begins anew with `state`, durably.
    Result<void> reset(const SyncState& state);

    /// Replaces what is known of the tables, durably; rows of tables that are not among them are
    /// deleted, all others stay. Requires a state.
    Result<void> redefine(
        const std::vector<Table>& tables, const std::string& publication_fingerprint
    );

    /// The same when the table that copy() is about has come to them.
    Result<void> join(const std::vector<Table>& tables, const std::string& publication_fingerprint);

    /// Forgets rows and spool of a table that is not in state().tables, and copy(). As redefine()
    /// and forget_others(), it gives the disk space back at once: of rows that it deletes, an older
    /// view may lack some.
    Result<void> forget(TableOid table);

    /// Forgets what there is of tables other than these, but for the rows, spool and copy() of
    /// `joining`: copies that were cut short, and cannot be gone on with.
    Result<void> forget_others(
        const std::vector<Table>& tables, std::optional<TableOid> joining = {}
    );

    /// What is known of the copy that is under way, or was when veer died.
    Result<std::optional<CopyRecord>> copy() const;

    /// After the rows that it speaks of. Says nothing of `unreadable`.
    Result<void> save_copy(const CopyRecord& record);

    /// Sets copy()'s `unreadable`, before what follows is written.
    Result<void> note_unreadable(Lsn commit);

    /// Adds rows of a copy, no key twice; the position does not move. Many of them at once, 32 MB
    /// say, cost a third of what they cost one by one (RowFiles).
    Result<void> write_rows(TableOid table, std::span<const Row> rows);

    /// True where so many files of rows wait to be merged that whoever copies should wait, too:
    /// soon write() would. From any thread.
    bool crowded() const;

    /// Marks the copy complete as of `applied`, durably. Requires a state.
    Result<void> finish_copy(Lsn applied);

    /// Applies the changes in order, spools others, and moves the position. Requires
    /// nothing unchanged but in the spooled ones.
    Result<void> write(
        std::span<const Change> changes,
        Lsn applied,
        const std::optional<History>& history = {},
        const Spool& spool = {}
    );

    /// Where the changes of a transaction can wait for its end.
    Result<std::shared_ptr<ChangeSpill>> open_spill(std::uint32_t xid) const;
    TransactionReader read_spill(std::uint32_t xid, std::uint32_t from) const;
    void remove_spill(std::uint32_t xid) const;
    void clear_spills() const;  ///< all of them

    /// Says that this transaction is to be applied, whatever happens. Requires that its changes are
    /// sealed.
    Result<void> begin_commit(const CommitRecord& record);

    /// What was begun, and has not ended.
    Result<std::optional<CommitRecord>> commit_under_way() const;

    /// Applies and spools changes of it, up to before `next`; the position does not move.
    Result<void> write_part(
        std::span<const Change> changes, std::uint32_t next, const Spool& spool = {}
    );

    /// Ends it, and moves the position behind it.
    Result<void> end_commit(Lsn applied, const History& history);

    /// Returns the oldest spooled changes of a table in the window, at most 1,000 or about 8 MB.
    Result<SpoolPage> read_spool(TableOid table, const SpoolWindow& window = {}) const;

    /// About how many bytes were spooled since the last forget(), in earlier lives, too; by the
    /// thread that writes.
    std::uint64_t spooled() const;

    /// Applies changes from the spool of a table, which are gone from it up to `last`. Requires no
    /// UnchangedVector in them.
    Result<void> use_spool(TableOid table, std::span<const Change> changes, SpoolPlace last);

    /// Applies changes to the rows of a table that is being copied, and leaves its spool as it is.
    Result<void> change_rows(std::span<const Change> changes);

    /// Makes durable all that was written, and returns the position that is durable now.
    Result<Lsn> sync();

    Result<std::optional<Row>> get(TableOid table, const RowKey& key) const;

    /// Calls `visit` with every row of a table in key order, until it returns false.
    Result<void> for_each_row(TableOid table, const std::function<bool(Row&&)>& visit) const;

    /// All rows as they are now. The store must outlive it.
    std::shared_ptr<const View> view() const;

  private:
    struct Impl;
    explicit Store(std::unique_ptr<Impl> impl);

    Result<void> commit_tables(
        rocksdb::WriteBatch& batch,
        const std::vector<Table>& tables,
        const std::string& publication_fingerprint
    );

    std::unique_ptr<Impl> impl_;
};

}  // namespace veer::storage::store
