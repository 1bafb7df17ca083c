#include "router/cutover/traffic.hpp"

#include <algorithm>
#include <utility>

namespace veer::router::cutover {

std::string_view to_string(Cause cause) {
    switch (cause) {
        case Cause::none:
            return "";
        case Cause::panic:
            return "panic";
        case Cause::unreadable:
            return "state_file";
        case Cause::off:
            return "off";
        case Cause::tripped:
            return "tripped";
        case Cause::lag:
            return "lag";
        case Cause::drill:
            return "drill";
        case Cause::stepped_down:
            return "stepped_down";
    }
    return "";
}

bool Traffic::quarantined(std::uint64_t shape) const {
    if (!any_quarantined_.load(std::memory_order_acquire)) {
        return false;
    }
    const auto shapes = std::atomic_load(&quarantined_);
    return shapes != nullptr && std::find(shapes->begin(), shapes->end(), shape) != shapes->end();
}

void Traffic::set_quarantined(std::vector<std::uint64_t> shapes) {
    const bool any = !shapes.empty();
    if (!any && !any_quarantined_.load(std::memory_order_relaxed)) {
        return;
    }
    std::atomic_store(
        &quarantined_, std::make_shared<const std::vector<std::uint64_t>>(std::move(shapes))
    );
    any_quarantined_.store(any, std::memory_order_release);
}

}  // namespace veer::router::cutover
