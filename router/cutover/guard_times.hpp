#pragma once

#include "router/cutover/guards.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace veer::router::cutover {

/// Since when each guard of a route is in its state, and how often it has tripped within a day.
/// Bounded: of each guard the last `kept_max` trips are remembered.
class GuardTimes {
  public:
    static constexpr std::size_t kept_max = 1000;

    /// The guards as they stand.
    void look(const std::vector<Guard>& guards, Time now);

    /// Adds what is known to the guard of this name.
    void tell(Guard& guard, Time now) const;

  private:
    struct Known {
        Guard::Mode mode = Guard::Mode::armed;
        std::optional<Time> since;
        std::uint64_t trips = 0;
        std::deque<Time> tripped;
    };

    std::map<std::string_view, Known> known_;  // guards' names are literals
};

}  // namespace veer::router::cutover
