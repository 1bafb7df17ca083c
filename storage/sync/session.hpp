#pragma once

#include "storage/error.hpp"
#include "storage/source/catalogue.hpp"
#include "storage/source/connection.hpp"
#include "storage/source/stream.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/flush_nudge.hpp"
#include "storage/sync/join_schedule.hpp"
#include "storage/sync/progress.hpp"
#include "storage/sync/retry.hpp"
#include "storage/sync/syncer.hpp"
#include "storage/sync/verify_desk.hpp"
#include "storage/sync/wal_guard.hpp"
#include "storage/verify/patrol.hpp"

#include <optional>
#include <string>

namespace veer::storage::sync {

/// One life of the connections to the upstream: from discovery to whatever ends it.
///
///     preflight ─▶ discover ─▶ resume? ─▶ load what is complete, or nothing ─▶ stream ─▶ an Error,
///                                                                                 │       always
///                                          other tables: Joiner ─────▶ Follower ◀─┘
///
/// Invariants:
/// 1. Everything that outlives it is in the store and in `progress`.
/// 2. When run() returns, what was applied is in the store's batch; the caller syncs.
class Session {
  public:
    struct Context {
        const SyncOptions& options;
        store::Store& store;
        Progress& progress;
        const source::Wake& wake;
        WalGuard& guard;
        FlushNudge& nudge;
        VerifyDesk& desk;
        verify::Patrol& patrol;
        JoinSchedule& schedule;      ///< a table's back-off goes on with the next session
        std::string& last_refusals;  ///< what was logged last, so as to log it once
    };

    explicit Session(Context context);

    /// Runs until something ends it. `start_over` is why the stored copy must not be resumed, if
    /// so.
    Error run(const std::optional<std::string>& start_over);

    /// How far the session got, and for how long.
    Retry::Life life() const;

    /// True where the server began to stream, whatever came of it.
    bool started() const { return started_; }

  private:
    Result<void> interrupted() const;
    source::ConnectOptions connect_options(bool replication) const;
    Result<void> open_replication();
    Result<void> prepare(const std::optional<std::string>& start_over);
    Result<std::optional<std::string>> judge_stored(
        const std::optional<store::SyncState>& stored, const source::Catalogue& catalogue
    );
    Result<void> wait_for_index(
        const std::optional<store::SyncState>& stored, const source::Catalogue& catalogue
    );
    void log_refusals(const source::Catalogue& catalogue, const std::string& publication);
    std::string warning() const;

    Result<void> start_over(const source::Catalogue& catalogue, const std::string& why);
    Result<void> resume(store::SyncState stored, const source::Catalogue& catalogue);
    Result<void> load(const store::SyncState& state);

    Error stream();
    Result<source::Stream> start_stream(Lsn start);
    Result<Lsn> verify_start(const store::SyncState& state);
    Result<bool> can_write();
    Result<bool> can_stream_open();
    Error follow(source::Stream& stream, const store::SyncState& state, Lsn confirmed_flush);

    Context context_;
    std::string name_;  ///< of the slot, the publication, and as application_name
    std::optional<source::Connection> catalogue_connection_;
    std::optional<source::Connection> replication_;
    source::SystemIdentity identity_;  ///< of the server behind `replication_`
    std::optional<Table> joining_;     ///< whose copy was cut short, and may go on
    Partitions partitions_;            ///< as the catalogue had them
    std::string columns_left_out_;     ///< that were asked for, and why; in sentences
    Retry::Clock::time_point begun_ = Retry::Clock::now();
    std::optional<Retry::Clock::time_point> streaming_;  ///< since when
    std::optional<Retry::Clock::time_point> complete_;   ///< since when
    bool started_ = false;
};

}  // namespace veer::storage::sync
