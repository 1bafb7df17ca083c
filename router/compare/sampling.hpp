#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <unordered_set>

namespace veer::router::compare {

/// Which of the searches inside the rate are compared again: none that has been compared in the
/// last ten minutes, so that one hot query does not count five thousand times (CUTOVER.md 2.2).
///
/// `place` is the search's bucket() under the comparison's own salt: the same search, the same
/// place. Bounded: of more than `entries_max` the oldest are forgotten early.
class RecentSamples {
  public:
    static constexpr std::int64_t age_max_ns = 600'000'000'000;
    static constexpr std::size_t entries_max = 16'384;

    /// False where it was here lately.
    bool enter(double place, std::int64_t now_ns);

  private:
    struct Entry {
        std::uint64_t id = 0;
        std::int64_t entered_ns = 0;
    };

    std::deque<Entry> entries_;
    std::unordered_set<std::uint64_t> ids_;
};

/// So much of something a second, and no more: a token bucket that holds one second's worth, at
/// least one. Whoever gets nothing drops its work; nobody waits.
class Budget {
  public:
    explicit Budget(double per_second) : per_second_(per_second) {}

    void set_rate(double per_second);

    /// Takes one, where there is one.
    bool take(std::int64_t now_ns);

    /// Whether anything is left. What it costs is known afterwards and charge()d then: it may
    /// overdraw, and is paid back before the next.
    bool available(std::int64_t now_ns);

    void charge(double amount) { left_ -= amount; }

  private:
    void refill(std::int64_t now_ns);

    double per_second_;
    double left_ = 0;
    std::int64_t filled_ns_ = 0;
    bool begun_ = false;
};

/// Routes that are not compared for a while, because Postgres has failed their last comparison; or
/// all of them, because it could not be reached.
class Pauses {
  public:
    static constexpr std::int64_t length_ns = 5'000'000'000;

    void begin(const std::string& route, std::int64_t now_ns);
    void begin_for_all(std::int64_t now_ns);

    bool paused(const std::string& route, std::int64_t now_ns) const;

  private:
    std::map<std::string, std::int64_t> until_ns_;  // of routes that have failed: few
    std::int64_t all_until_ns_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace veer::router::compare
