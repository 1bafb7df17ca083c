#pragma once

#include <chrono>
#include <cstdint>

namespace veer::storage::sync {

/// How fast a copy may read, so that the server has something left for others. Pure: time comes in.
class CopyPace {
  public:
    using Clock = std::chrono::steady_clock;

    /// Zero bytes a second are no bound.
    explicit CopyPace(std::uint64_t bytes_per_second) : bytes_per_second_{bytes_per_second} {}

    /// So much was read: how long to wait until more may be. What was not used is lost, but for a
    /// tenth of a second's.
    Clock::duration take(std::uint64_t bytes, Clock::time_point now);

  private:
    std::uint64_t bytes_per_second_;
    Clock::time_point due_;  ///< when all that was taken has had its time
};

}  // namespace veer::storage::sync
