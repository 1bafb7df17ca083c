#pragma once

#include "router/cutover/control.hpp"
#include "router/cutover/guard_times.hpp"

#include <memory>
#include <string>

namespace veer::router::cutover {

/// What Control keeps of a route.
struct Control::Entry {
    Entry(std::string route, const Policy& policy)
        : name(std::move(route)), guards(policy.guards, policy.gates) {}

    std::string name;
    Position position;
    Evidence evidence;
    Guards guards;
    GuardTimes guard_times = {};
    std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();

    /// A raise that is being stored; any other move overtakes it.
    struct Pending {
        std::uint64_t raise = 0;
        Position wanted;
    };

    std::optional<Pending> pending;

    /// Made-up trouble; any move ends it.
    struct Drill {
        Rehearsal rehearsal;
        Operator who;
    };

    std::optional<Drill> drill;
    bool known = false;         ///< position holds something: stored, or seen before
    bool moved_unread = false;  ///< decided while the stored state could not be read
    bool adopted = false;       ///< the copy has such a route
    bool live = false;          ///< its index can answer
    // What the guards have been told of the counters.
    std::uint64_t veer_seen = 0;
    std::uint64_t fallbacks_seen = 0;
    std::uint64_t errors_seen = 0;
};

/// What becomes of a reply where the move could not be stored, or another was faster.
Reply not_saved(Reply reply, const std::string& problem);
Reply overtaken(Reply reply);

}  // namespace veer::router::cutover
