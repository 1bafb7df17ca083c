#include "proxy/cutover_feed.hpp"

#include "router/candidate.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace veer::proxy {

namespace {

using router::cutover::Gauges;
using router::cutover::OwnLook;
using router::cutover::Time;

OwnLook look_at(const router::RouteTable& table, const index::Replica& replica) {
    OwnLook own{.applied = replica.applied().value};
    for (const router::Route& route : table.routes) {
        own.memory_bytes += route.column.index->memory_bytes();
    }
    return own;
}

}  // namespace

CutoverFeed::CutoverFeed(Parts parts) : parts_(std::move(parts)) {}

void CutoverFeed::note(const router::cutover::UpstreamLook& look, Time at) {
    const std::lock_guard lock(mutex_);
    sampler_.note(look, at);
}

std::optional<router::cutover::UpstreamLook> CutoverFeed::last(Time now) const {
    const std::lock_guard lock(mutex_);
    return sampler_.last(now);
}

void CutoverFeed::tick(Time now) {
    parts_.router.reasons().note_times(now.time_since_epoch().count());
    const std::shared_ptr<const router::RouteTable> table = parts_.router.routes();
    if (std::none_of(table->routes.begin(), table->routes.end(), [](const router::Route& route) {
            return route.live();
        })) {
        return;  // nothing is served; what was known of the lag is of another copy
    }
    OwnLook own = look_at(*table, parts_.replica);
    own.memory_bytes_max = parts_.memory_bytes_max;
    Gauges gauges;
    bool flush = false;
    {
        const std::lock_guard lock(mutex_);
        gauges = sampler_.gauges(own, now);
        flush = sampler_.flush_due(gauges, now);
    }
    if (flush) {
        parts_.nudge();
    }
    router::cutover::Control& control = parts_.router.control();
    for (const router::Route& route : table->routes) {
        if (!route.live()) {
            continue;
        }
        const index::RouteIndex& built = *route.column.index;
        const std::string why = copies_.changed(
            route.name,
            {.index = route.column.index,
             .rebuilds = built.rebuilds(),
             .restored = built.restored().has_value(),
             .engine = route.candidate ? route.candidate->identity() : 0}
        );
        if (!why.empty()) {
            control.make_stale(route.name, why, now);
        }
        control.note(route.name, gauges, now);
    }
}

}  // namespace veer::proxy
