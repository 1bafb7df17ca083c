#pragma once

#include "storage/source/connection.hpp"
#include "storage/source/stream.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/flush_nudge.hpp"
#include "storage/sync/progress.hpp"
#include "storage/sync/table_at_point.hpp"
#include "storage/sync/verify_desk.hpp"
#include "storage/sync/write_watch.hpp"
#include "storage/verify/patrol.hpp"
#include "storage/verify/table_check.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace veer::storage::sync {

/// What the stream's thread is to change in a table's copy, which was wrong as of a position.
struct Repair {
    Table table;
    Lsn point;
    std::vector<Change> changes;  ///< what the table had then
    std::string copy_again;       ///< why it is to be copied again instead; else empty
};

/// Compares tables with their copies beside the running stream, on a thread and connections of its
/// own: when asked, and without being asked as Patrol says.
///
///     verifier's thread                                   stream's thread
///     WriteWatch::begin ────────────────────────────────▶ note() before each transaction is
///     written temporary slot ─▶ consistent point C, snapshot, lock the position is >= C
///     ◀───────────────────────────── ... WriteWatch::view_at(C): the copy at C TableCheck: range
///     by range, both as of C what differs: its rows as of C ──── Repair ───────▶ those that no
///     commit >= C has touched: repaired ◀───────────────────────────────────────── stored and
///     told, between two transactions
///
/// Both sides are the same moment, so a difference is one, whatever is written meanwhile; and a row
/// is repaired only where what the table had at C is what it has now (README.md).
///
/// Invariants:
/// 1. A snapshot and its lock are held for about `piece_time_max`: DDL and VACUUM wait no longer.
/// 2. A failure is the comparison's: it is told, and the stream goes on.
class Verifier {
  public:
    struct Context {
        source::ConnectOptions options;   ///< the wake is the verifier's own
        std::string name;                 ///< of slot and publication
        ColumnChoices columns;            ///< that are copied beside key and vectors
        source::SystemIdentity identity;  ///< of the server that the stream comes from
        store::Store& store;
        Progress& progress;
        FlushNudge& nudge;
        VerifyDesk& desk;
        verify::Patrol& patrol;
    };

    explicit Verifier(Context context);
    Verifier(const Verifier&) = delete;
    Verifier& operator=(const Verifier&) = delete;

    /// Ends what is under way, and joins.
    ~Verifier();

    /// The stream's thread: the tables that are complete, and those that are to be, whenever they
    /// are others.
    void set_tables(std::vector<Table> complete, std::vector<Table> others);

    /// The stream's thread: this transaction is about to be written.
    void note(const Transaction& transaction) { watch_.note(transaction); }

    /// The stream's thread, between two transactions: what is to be repaired, and what was.
    std::optional<Repair> take_repair();
    bool still_due(const Repair& repair, const Change& change) const;
    void repaired(std::uint64_t rows);

  private:
    /// One look at a part of a table.
    struct Piece {
        Table table;
        std::optional<RowKey> end;  ///< compared up to here; nothing where to the table's end
        std::uint64_t rows = 0;
        std::vector<verify::Difference> differences;
        std::uint64_t repaired = 0;
        bool copy_again = false;
    };

    /// Where a piece begins and ends.
    struct Bounds {
        std::optional<RowKey> after;
        std::uint64_t rows_max = 0;  ///< to the end of a range
    };

    void run();
    void serve(const VerifyRequest& request);
    void patrol(const verify::Patrol::Piece& due);
    TableVerdict whole(TableOid oid, double rows_per_second);
    Result<Piece> piece(TableOid oid, const Bounds& bounds);
    Result<Piece> watched_piece(const Table& table, const Bounds& bounds);
    Result<void> compare(const Bounds& bounds, TableAtPoint& at, Piece& piece, Repair& repair);
    Result<void> wait_for(Lsn point);
    Result<std::uint64_t> hand_over(Repair repair);
    bool stopping() const;
    bool comparing() const;
    /// The tables that are compared unasked. Of others each range would cost a scan of the table.
    std::vector<TableOid> patrolled() const;

    Context context_;
    source::Wake wake_;
    WriteWatch watch_;
    std::optional<source::Connection> catalogue_;

    mutable std::mutex mutex_;  ///< guards all below
    std::condition_variable changed_;
    bool stopping_ = false;
    std::vector<Table> complete_;
    std::vector<Table> others_;
    bool told_ = false;                  ///< these two
    std::optional<TableOid> comparing_;  ///< as long as it has not left
    std::optional<Repair> repair_;
    std::optional<std::uint64_t> repaired_;

    std::thread thread_;
};

}  // namespace veer::storage::sync
