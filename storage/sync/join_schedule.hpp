#pragma once

#include "storage/table.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <vector>

namespace veer::storage::sync {

/// When a table is copied next. Pure: time comes in.
///
///     could not begin (a lock, a right)           0.5 s, 1 s ... 10 s
///     was cut short, but came farther             0.5 s
///     a copy or a stream of it was for nothing    at once, then 10 s, 20 s ... 1 h
///
/// The latter is forgotten where the table has streamed for an hour since it joined: what fails
/// each time soon after it has joined, and what is copied for longer than that, is copied seldom.
class JoinSchedule {
  public:
    using Clock = std::chrono::steady_clock;

    enum class Failure { cheap, advanced, costly };

    void failed(TableOid table, Failure failure, Clock::time_point now);
    void joined(TableOid table, Clock::time_point now);

    /// The smallest table that is due, of those wanted. Where the copy of one has `begun`, that
    /// one: the others wait for it, unless it has failed too often without coming farther.
    std::optional<Table> next(
        const std::vector<Table>& wanted, Clock::time_point now, std::optional<TableOid> begun = {}
    ) const;

    /// When the next of the wanted ones is due; in an hour where none is wanted.
    Clock::time_point due(
        const std::vector<Table>& wanted, Clock::time_point now, std::optional<TableOid> begun = {}
    ) const;

  private:
    struct Entry {
        Clock::time_point due;
        std::optional<Clock::time_point> joined;  ///< and has not failed since
        std::chrono::milliseconds cheap{0};
        std::chrono::milliseconds costly{0};
    };

    Clock::time_point due(TableOid table) const;
    bool comes_first(const std::vector<Table>& wanted, std::optional<TableOid> begun) const;

    std::map<TableOid, Entry> entries_;
};

}  // namespace veer::storage::sync
