#include "router/cutover/guard_times.hpp"

#include <algorithm>

namespace veer::router::cutover {

namespace {

constexpr Duration a_day = std::chrono::hours(24);

}  // namespace

void GuardTimes::look(const std::vector<Guard>& guards, Time now) {
    for (const Guard& guard : guards) {
        Known& known = known_[guard.name];
        if (!known.since || known.mode != guard.mode || known.trips != guard.trips) {
            known.since = now;
        }
        known.mode = guard.mode;
        for (; known.trips < guard.trips; ++known.trips) {
            known.tripped.push_back(now);
        }
        known.trips = guard.trips;  // begun anew: then there are fewer
        while (known.tripped.size() > kept_max ||
               (!known.tripped.empty() && now - known.tripped.front() >= a_day)) {
            known.tripped.pop_front();
        }
    }
}

void GuardTimes::tell(Guard& guard, Time now) const {
    const auto found = known_.find(guard.name);
    if (found == known_.end()) {
        return;
    }
    guard.since = found->second.since;
    const auto& tripped = found->second.tripped;
    guard.trips_of_a_day = static_cast<std::uint64_t>(
        std::count_if(tripped.begin(), tripped.end(), [now](Time at) { return now - at < a_day; })
    );
}

}  // namespace veer::router::cutover
