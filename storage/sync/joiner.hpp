#pragma once

#include "storage/column_choice.hpp"
#include "storage/error.hpp"
#include "storage/partitions.hpp"
#include "storage/source/connection.hpp"
#include "storage/source/stream.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/join_schedule.hpp"
#include "storage/sync/progress.hpp"
#include "storage/sync/range_copy.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace veer::storage::sync {

/// Copies tables beside the running stream, one after the other, on a thread and connections of its
/// own, and hands each over to the stream when it is complete.
///
///     joiner's thread                                  stream's thread
///     publish the table
///     asking ────────────────────────────────────────▶ spools its changes from here on
///     copying  ◀───────────────────────────────────────
///       temporary slot ─▶ consistent point C, lock
///       COPY in C's snapshot ─▶ rows into the store, as fast as they come (RangeCopy)
///       where an earlier attempt has read some of them: as of C, all of them (SnapshotMerge)
///       rows of the store ─▶ index, on all processors
///       replay the spool, from C on
///     ready ─────────────────────────────────────────▶ at a position >= C, finishing: replays the
///     idle ◀────────────────────────────────────────── rest, and the table is part of the stream
///     over, where anything fails ────────────────────▶ forgets rows and spool
///
/// Exactness (README.md has the argument): C's snapshot has exactly the transactions that commit
/// before C, the spool all those from C on, in their order.
///
/// Invariants:
/// 1. Between `copying` and `ready` only the joiner's thread touches the table's rows and spool,
///    but for the spool's end, which grows.
/// 2. Copying, decoding and building the index yield the processor to sessions and stream.
/// 3. A failure is the table's: it is told as its state, and tried again as JoinSchedule says. What
///    was copied is kept over a crash, a lost connection and a lock, and forgotten after all else.
class Joiner {
  public:
    struct Context {
        source::ConnectOptions options;   ///< the wake is the joiner's own
        std::string name;                 ///< of slot and publication
        ColumnChoices columns;            ///< to be copied beside key and vectors
        source::SystemIdentity identity;  ///< of the server that the stream comes from
        store::Store& store;
        Progress& progress;
        JoinSchedule& schedule;  ///< outlives the joiner, which guards it meanwhile
        CopyLimits limits;
    };

    enum class Stage { idle, asking, copying, ready, finishing, over };

    struct Complete {
        Table table;
        Lsn consistent_point;
        Lsn first_point;  ///< from here on every change of the table had to be readable
        std::string publication_fingerprint;
        Partitions partitions;  ///< of the table, as they are while it is copied
    };

    explicit Joiner(Context context);
    Joiner(const Joiner&) = delete;
    Joiner& operator=(const Joiner&) = delete;

    /// Ends what is under way, and joins.
    ~Joiner();

    /// These tables are to join. A copy under way of what is not among them any more is given up.
    void want(std::vector<Table> tables);

    /// A table has left the stream because of its rows: copying it again may not help.
    void note_failure(TableOid table);

    Stage stage() const;
    bool active() const;        ///< something is under way, or is due
    Table table() const;        ///< that is joining; requires a stage other than idle
    Complete complete() const;  ///< requires `ready`; of its partitions, any but idle

    /// Whether what an earlier attempt has copied, and all that was spooled since, is to be used.
    bool goes_on() const;
    bool keeps() const;  ///< whether this attempt leaves that to the next one; requires `over`

    void spooling(bool goes_on);  ///< answers `asking`
    /// As far as the spool reaches. Returns whether somebody waits for more.
    bool note_position(Lsn position);
    bool claim();   ///< from `ready` to `finishing`, if nothing has come between
    void joined();  ///< answers `finishing`
    void refuse(const std::string& why);  ///< so does this; or cuts `copying` short
    void forgotten();                     ///< answers `over`

  private:
    struct Failed {
        Error error;
        JoinSchedule::Failure failure;
    };

    void run();
    std::optional<Table> next();
    std::optional<TableOid> begun() const;
    void attempt(const Table& table);
    Result<Table> prepare(const Table& wanted);
    Result<std::optional<store::CopyRecord>> find_record(Table& table);
    Result<void> copy_or_tell(const Table& table, std::optional<store::CopyRecord> record);
    Result<void> copy(const Table& table, std::optional<store::CopyRecord> record);
    Result<store::CopyRecord> read(const Table& table, std::optional<store::CopyRecord> record);
    std::string known_partitions(const Table& table) const;
    Result<void> check_partitions(const Table& table);
    Result<void> merge(source::Connection& connection, store::CopyRecord& record);
    Result<void> build(const Table& table);
    Result<void> catch_up(const Table& table, Lsn consistent_point);
    Result<void> connect();
    Result<void> check_published();
    Result<void> wait_past(Stage stage);
    Result<void> wait_for(Lsn position);
    Result<void> interrupted() const;
    void enter(Stage stage);
    void tell_failure(const Table& table, const Error& error);

    Context context_;
    source::Wake wake_;
    std::optional<source::Connection> connection_;
    Partitions partitions_;
    bool rows_copied_ = false;
    bool advanced_ = false;  ///< this attempt has read ranges that no earlier one had

    mutable std::mutex mutex_;  ///< guards all below
    std::condition_variable changed_;
    bool stopping_ = false;
    std::vector<Table> wanted_;
    Stage stage_ = Stage::idle;
    std::optional<Complete> joining_;
    std::optional<std::string> refused_;
    bool goes_on_ = false;
    bool keeps_ = false;
    Lsn position_;
    std::optional<Lsn> awaited_;

    std::thread thread_;
};

}  // namespace veer::storage::sync
