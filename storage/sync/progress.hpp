#pragma once

#include "storage/sync/observer.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace veer::storage::sync {

/// What the observer has been told: the only way to it.
///
/// Invariants:
/// 1. status() reaches the observer at once where the phase or reason is new, else at most ten
/// times a
///    second.
/// 2. `ready_for(tables, lsn)` is true exactly where the observer already has the rows of these
///    tables as of that position: then a new connection goes on without loading anything again.
class Progress {
  public:
    explicit Progress(Observer& observer) : observer_{observer} {}

    void begin(const std::string& database, const std::vector<Table>& tables);
    void rows(TableOid table, std::span<const Row> rows);
    void ready(Lsn applied);
    void apply(const Transaction& transaction);
    void applied(Lsn lsn);

    /// Tells the tables where they differ at all from what the observer knows. Requires
    /// ready_for().
    void redefine(const std::vector<Table>& tables);

    void enter(Phase phase, std::string reason);

    bool ready_for(const std::vector<Table>& tables, Lsn applied) const;

    /// True after begin() with these tables and nothing else: for not telling it again.
    bool begun_empty() const { return begun_ && tables_.empty(); }

    Lsn position() const { return status_.applied; }

  private:
    void report(bool at_once);

    Observer& observer_;
    Status status_;
    std::vector<Table> tables_;
    bool begun_ = false;
    bool ready_ = false;
    std::chrono::steady_clock::time_point reported_;
};

}  // namespace veer::storage::sync
