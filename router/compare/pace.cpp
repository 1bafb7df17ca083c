#include "router/compare/pace.hpp"

#include <algorithm>

namespace veer::router::compare {

std::int64_t Pace::rest_ns(Clocks clocks) const {
    const std::int64_t worked = clocks.spent_ns - begun_.spent_ns;
    if (share_ >= 1 || worked < slice_ns) {
        return 0;
    }
    const std::int64_t passed = clocks.now_ns - begun_.now_ns;
    const std::int64_t waited = std::clamp<std::int64_t>(passed - worked, 0, rest_max_ns);
    const double least_share = static_cast<double>(slice_ns) / static_cast<double>(rest_max_ns);
    const double owed = static_cast<double>(worked) * (1 / std::max(share_, least_share) - 1);
    const auto rest = static_cast<std::int64_t>(std::min(owed, static_cast<double>(rest_max_ns)));
    return std::min(rest_max_ns, rest + waited * rests_per_wait);
}

}  // namespace veer::router::compare
