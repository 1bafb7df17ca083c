#pragma once

#include "config/freshness.hpp"
#include "storage/lsn.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>

namespace veer::router {

/// What holds for a search: the session's own word (`SET veer.freshness`), else the route's. A word
/// that is none asks for the strictest.
config::Freshness freshness_of(std::string_view session, const config::Freshness& route);

/// As of when the copy is known to hold everything.
///
///     the server's log ended at   100      140      190        applied: 150
///     asked at                    12.0     12.1     12.2       as of 12.1: whatever was committed
///                                           └─ the newest that is applied     by then is there
///
/// Invariants:
/// 1. Never later than the truth: the time is that before the question, the position that of its
///    answer.
/// 2. At most `kept_max` looks: where the copy is farther behind, its age is only told as older.
/// 3. Thread-safe; wanted() is one relaxed load.
class FreshnessGauge {
  public:
    using Duration = std::chrono::nanoseconds;  ///< since the steady clock's epoch

    static constexpr std::size_t kept_max = 512;

    /// The log ended at `end` at some time after `asked`; calls are in the order of `asked`.
    void note(storage::Lsn end, Duration asked);

    /// True where the copy, which has applied so much, holds all that was committed `bound` before
    /// `now`. Says that somebody wants to know, which keeps the looks coming.
    bool holds(storage::Lsn applied, std::chrono::milliseconds bound, Duration now);

    /// Nothing where no look has been reached.
    std::optional<Duration> as_of(storage::Lsn applied);

    /// True where somebody has asked within `wanted_for`.
    bool wanted(Duration now) const;

    static constexpr std::chrono::seconds wanted_for{10};

  private:
    struct Look {
        storage::Lsn end;
        Duration asked;
    };

    std::mutex mutex_;
    std::deque<Look> ahead_;       ///< not known to be applied, oldest first
    std::optional<Look> reached_;  ///< the newest that was
    std::atomic<Duration::rep> asked_{0};
    std::atomic<bool> ever_asked_{false};
};

}  // namespace veer::router
