#pragma once

#include "storage/source/catalogue.hpp"
#include "storage/sync/observer.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace veer::storage::sync {

/// What the observer has been told: the only way to it, from the syncer's thread and from the one
/// that copies tables (Observer, contract 1).
///
/// Invariants:
/// 1. status() reaches the observer at once where a phase, a table's state or a reason is new, else
///    at most ten times a second.
/// 2. `ready_for(tables, lsn)` is true exactly where the observer already has the rows of these
///    tables as of that position: then a new connection goes on without loading anything again.
/// 3. A table that is copied or built is in the log every ten seconds, with how long it will take.
/// 4. While no table is complete and one is being copied, the phase `streaming` is told as
/// `copying`.
class Progress {
  public:
    explicit Progress(Observer& observer) : observer_{observer} {}

    void begin(const std::string& database, const std::vector<Table>& tables);
    void rows(TableOid table, std::span<const Row> rows);

    /// So many rows of a table that is copied are in the store. From any thread.
    void copied(TableOid table, std::uint64_t rows, std::uint64_t bytes);

    /// So many of them are there from an earlier attempt.
    void resume_copy(const Table& table, std::uint64_t rows, std::uint64_t bytes);

    /// All of its rows are in the store, and rows() follow: as many as it has counted.
    void build(const Table& table);

    void ready(Lsn applied);
    void part(std::span<const Change> changes);
    void apply(const Transaction& transaction);
    void applied(Lsn lsn);
    void repair(std::span<const Change> changes);

    /// Tells the complete tables where they differ at all from what the observer knows. Requires
    /// ready_for().
    void redefine(const std::vector<Table>& tables);

    void join(const Table& table);
    void catch_up(TableOid table, std::span<const Change> changes);
    void joined(const Table& table);
    void abandon(TableOid table);

    /// Says which tables there are that are not complete: those to be copied, and those refused. A
    /// table that is known keeps its state.
    void expect(const std::vector<Table>& wanted, std::vector<TableStatus> refused);

    void set_state(const Table& table, TableState state, std::string reason);

    void enter(Phase phase, std::string reason);

    /// The stream has shown that its history is the rows'; positions are of this timeline now.
    void prove(std::uint32_t timeline);

    bool ready_for(const std::vector<Table>& tables, Lsn applied) const;

    /// True after begin() with these tables and nothing else: for not telling it again.
    bool begun_empty() const { return begun_ && tables_.empty(); }

    Lsn position() const;

  private:
    using Clock = std::chrono::steady_clock;

    /// The state that a table is in, for its rate.
    struct Stage {
        Clock::time_point begun;
        Clock::time_point logged;
        std::uint64_t rows = 0;  ///< when it began
    };

    TableStatus& entry(const Table& table);
    void begin_stage(const TableStatus& table);
    void count(TableStatus& status, std::uint64_t rows, std::uint64_t bytes);
    void set(const Table& table, TableState state, std::string reason);
    void report(bool at_once);

    Observer& observer_;
    std::vector<Table> tables_;  ///< complete ones; the syncer's thread's
    bool begun_ = false;
    bool ready_ = false;
    bool parted_ = false;  ///< part of a transaction was told, and not its end

    mutable std::mutex mutex_;  ///< guards all below
    Status status_;
    std::map<TableOid, Stage> stages_;
    Clock::time_point reported_;
};

/// What a catalogue refuses, as Progress::expect() takes it.
std::vector<TableStatus> refusals(const source::Catalogue& catalogue);

}  // namespace veer::storage::sync
