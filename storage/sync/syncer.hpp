#pragma once

#include "storage/column_choice.hpp"
#include "storage/error.hpp"
#include "storage/sync/copy_limits.hpp"
#include "storage/sync/observer.hpp"
#include "storage/sync/transaction_limits.hpp"
#include "storage/sync/verification.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace veer::storage::sync {

struct SyncOptions {
    std::string dsn;        ///< libpq syntax; veer's own connections
    std::string directory;  ///< of the store; created with mode 0700
    /// How often the catalogue is read again while streaming: this long a schema change that leaves
    /// no trace in the stream stays unseen.
    std::chrono::milliseconds catalogue_every{5'000};
    /// Bytes of WAL that veer's slot may hold back on the upstream before veer drops it and copies
    /// again; 0 is no bound.
    std::uint64_t wal_keep_max = 16ULL << 30U;
    /// How many rows of the copy are compared with their tables, without anybody asking; 0 is none.
    double verify_rows_per_second = 0;
    /// From the beginning of one such pass over all tables to the next one's.
    std::chrono::milliseconds verify_every{3'600'000};
    ColumnChoices columns = {};  ///< what is copied beside keys and vectors
    CopyLimits copy = {};        ///< how tables are read
    TransactionLimits transactions = {};
    /// Where Postgres does not answer for so long, asked each second, the stream is begun anew.
    std::chrono::milliseconds silence_max{120'000};
};

/// Keeps a store and an observer in step with one upstream database, for ever, on a thread of its
/// own.
///
///     discover ─▶ a slot, a history that go on? ──yes──▶ load complete tables from the store ─┐
///        ▲                    │ no                                                            ▼
///        │                    └─▶ publication, slot, no table yet ──────────────────────▶ stream
///        │                                                                                    │
///        └── the continuity is lost ◀─────── tables join and leave the running stream ◀───────┘
///
/// Invariants:
/// 1. Rows and the applied LSN are one RocksDB batch: exactly once, whatever dies when.
/// 2. The slot's confirmed position never passes what is fsynced here.
/// 3. Trouble is retried with back-off (0.2 s doubling to 10 s) and told as Status::reason; it
/// never
///    ends the process and never throws.
/// 4. The trouble of one table is its own, and the others go on (Joiner). A copy that was cut short
///    goes on behind what is in the store of it (CopyRecord).
/// 5. The slot never holds back much more than `wal_keep_max`, whatever else goes wrong while veer
///    runs and reaches the upstream.
class Syncer {
  public:
    /// `observer` must outlive the syncer.
    Syncer(SyncOptions options, Observer& observer);
    Syncer(const Syncer&) = delete;
    Syncer& operator=(const Syncer&) = delete;

    /// Stops and joins.
    ~Syncer();

    /// Starts the thread. Call once.
    void start();

    /// Asks the thread to stop, waits until it has (bounded: libpq waits are cut by a wake-up),
    /// with everything applied fsynced.
    void stop();

    /// Makes Postgres flush its log soon, so that the stream can reach a position that a search
    /// waits for. From any thread; never waits.
    void nudge();

    /// Compares tables with their copies, and repairs what differs. From any thread; never waits.
    /// Answered at once where the copy is not being followed.
    void verify(const VerifyRequest& request, VerifyDone done);

    /// What has been compared so far, table by table.
    std::vector<VerifiedTable> verified() const;

    /// The name of veer's replication slot; empty while it is not known. From any thread.
    std::string slot() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace veer::storage::sync
