#pragma once

#include "storage/lsn.hpp"
#include "storage/row.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace veer::storage::sync {

/// Where the syncer stands as a whole. Only `streaming` may be served from; what of, each table's
/// own state says.
enum class Phase {
    waiting,    ///< upstream unreachable, not permitted, or no vector index found; see `reason`
    copying,    ///< the first tables are being copied: none is complete yet
    loading,    ///< reading the rows of an earlier run back from the store
    streaming,  ///< following the stream
};

std::string_view to_string(Phase phase);

/// Where one table stands. A table's trouble is its own: the others go on.
enum class TableState {
    waiting,      ///< for its turn to be copied, or, with a reason, for the next attempt
    copying,      ///< its rows are read into the store
    building,     ///< they are all there, and are put in the index
    catching_up,  ///< what was changed meanwhile is applied
    streaming,    ///< complete, and following
    refused,      ///< has a vector index, and cannot be copied; the reason says what would help
};

std::string_view to_string(TableState state);

/// Of a table that is copied or built, rows count in the state that it is in.
struct TableStatus {
    TableOid oid;      ///< zero where refused
    std::string name;  ///< with its schema
    TableState state = TableState::waiting;
    std::string reason;  ///< for people; empty when all is well
    std::uint64_t rows_done = 0;
    double rows_estimated = 0;
    std::uint64_t bytes_done = 0;             ///< as Postgres sent them, while copying
    double rows_per_second = 0;               ///< since the state began
    std::optional<double> seconds_left = {};  ///< of the state, at this rate

    friend bool operator==(const TableStatus&, const TableStatus&) = default;
};

struct Status {
    Phase phase = Phase::waiting;
    std::string reason;           ///< one sentence for people; empty when all is well
    std::uint64_t rows_done = 0;  ///< rows copied or loaded in this phase, all tables
    double rows_estimated = 0;    ///< of so many
    Lsn applied;
    std::uint32_t timeline =
        0;  ///< that `applied` is a position of; 0 until the stream has shown it
    std::vector<TableStatus> tables;
};

/// Who is told what became of the rows: the index.
///
///     begin(tables) ─▶ rows(...)* ─▶ ready(lsn) ─▶ ( part(...)* apply(transaction) | applied(lsn)
///          ▲                              ┊          | redefine(tables) | repair(changes) )*
///          │                              ┊              ▲
///          │                              ▼              │ from here on in apply()
///          │              join(table) ─▶ rows(...)* ─▶ catch_up(changes)* ─▶ joined(table)
///          │                   └───────────┴──── abandon(table) ──┘
///          └───────────── the continuity is lost: start over
///
/// Contract:
/// 1. join(), and rows(), catch_up() of a joining table may come from a second thread, one table at
/// a
///    time, while the first (the syncer's) goes on with all others; abandon() from either, when the
///    other has stopped. All else comes from the syncer's, in the order of the picture. begin() may
///    come again at any time when no table is joining, and forgets everything before it.
/// 2. What is told is already in the store's batch, though not yet necessarily fsynced.
/// 3. After apply(t) or applied(lsn) returns, a search must see all up to that position. A table
/// that
///    is joining must not be searched before joined().
/// 4. Calls may block (the index is built in rows(), which reading from Postgres does not wait
/// for);
///    they must not fail.
class Observer {
  public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    /// The rows of these tables of `database` follow, as the store has them; nothing of them may be
    /// served yet.
    virtual void begin(const std::string& database, const std::vector<Table>& tables) = 0;

    /// Rows of a table of begin() or join(), keys not seen before in it. Nothing in them is
    /// unchanged.
    virtual void rows(TableOid table, std::span<const Row> rows) = 0;

    /// The tables of begin() are complete and consistent as of `applied`.
    virtual void ready(Lsn applied) = 0;

    /// After ready(): changes of the transaction whose apply() comes next, with the rest of it;
    /// they must not be seen before that. Where begin() comes first, they are forgotten.
    virtual void part(std::span<const Change> /*changes*/) {}

    /// One transaction after ready(). `transaction` has nothing unchanged left: the syncer has
    /// resolved that from the store.
    virtual void apply(const Transaction& transaction) = 0;

    /// After ready(): these are the complete tables now. Each is one of begin() or joined() with
    /// the same rows and indexes, though perhaps with another name, other columns or partitions;
    /// whichever is missing has left, and nothing more comes of it. What is served goes on.
    virtual void redefine(const std::vector<Table>& /*tables*/) {}

    /// A copy of one more table begins; nothing of it may be served yet.
    virtual void join(const Table& /*table*/) {}

    /// Changes to the table that is joining, after its rows; nothing is unchanged.
    virtual void catch_up(TableOid /*table*/, std::span<const Change> /*changes*/) {}

    /// The table is complete as of the position, and part of every apply() from now on.
    virtual void joined(TableOid /*table*/) {}

    /// Nothing comes of the table that was joining: forget it.
    virtual void abandon(TableOid /*table*/) {}

    /// Rows of complete tables turned out to be wrong: these are what they should have been, as of
    /// the position so far. Between two transactions; no UnchangedVector, no Truncate.
    virtual void repair(std::span<const Change> /*changes*/) {}

    /// Nothing of interest happened up to `lsn` (keepalive, or other tables' transactions).
    virtual void applied(Lsn lsn) = 0;

    /// Progress and trouble, for `SHOW veer.routes`; a phase other than streaming stops serving.
    /// From either thread.
    virtual void status(const Status& status) = 0;
};

}  // namespace veer::storage::sync
