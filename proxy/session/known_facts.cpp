#include "proxy/session/known_facts.hpp"

#include <algorithm>

namespace veer::proxy::session {

const KnownFacts* FactsCache::find(
    const std::shared_ptr<const router::RouteTable>& routes,
    const router::Route& route,
    std::string_view joined,
    std::uint64_t epoch,
    Instant now
) const {
    const auto found = std::find_if(known_.begin(), known_.end(), [&](const KnownFacts& known) {
        return known.route == &route && known.routes == routes && known.joined == joined;
    });
    if (found == known_.end() || found->epoch != epoch || !route.streamed_whole()) {
        return nullptr;
    }
    const std::int64_t age_max = std::min(age_max_ns, found->facts.idle_timeout_ns / 2);
    const bool fresh = now.nanoseconds - found->taken.nanoseconds < age_max;
    return fresh ? &*found : nullptr;
}

void FactsCache::put(KnownFacts known) {
    std::erase_if(known_, [&](const KnownFacts& other) {
        return other.routes != known.routes ||
               (other.route == known.route && other.joined == known.joined);
    });
    if (known_.size() == routes_max) {
        known_.erase(known_.begin());
    }
    known_.push_back(std::move(known));
}

}  // namespace veer::proxy::session
