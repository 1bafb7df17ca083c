#include "router/reason_counts.hpp"

namespace veer::router {

namespace {

/// The entry of a name; made where it is missing, so that nothing is copied once it is there.
template <class Map>
typename Map::mapped_type& entry_of(Map& map, std::string_view name) {
    const auto found = map.find(name);
    return found == map.end() ? map[std::string(name)] : found->second;
}

}  // namespace

void ReasonCounts::count(std::string_view route, std::string_view engine, Reason reason) {
    const std::lock_guard lock(mutex_);
    if (entries_ >= entries_max) {
        return;  // routes come and go, and the process stays
    }
    std::uint64_t& calls = entry_of(entry_of(entry_of(routes_, route), engine), reason);
    entries_ += calls == 0 ? 1 : 0;
    ++calls;
}

std::vector<ReasonCounts::Entry> ReasonCounts::entries() const {
    const std::lock_guard lock(mutex_);
    std::vector<Entry> all;
    for (const auto& [route, engines] : routes_) {
        for (const auto& [engine, reasons] : engines) {
            for (const auto& [reason, calls] : reasons) {
                all.push_back({.route = route, .engine = engine, .reason = reason, .calls = calls});
            }
        }
    }
    return all;
}

}  // namespace veer::router
