#include "router/compare/load.hpp"

#include <algorithm>

namespace veer::router::compare {

void LoadBudget::look(std::uint64_t searches, std::int64_t now_ns) {
    if (looked_ && now_ns - looked_->at_ns < look_every_ns) {
        return;
    }
    if (looked_) {
        constexpr double nanoseconds = 1e9;
        const double seconds = static_cast<double>(now_ns - looked_->at_ns) / nanoseconds;
        const auto more = static_cast<double>(searches - std::min(searches, looked_->searches));
        idle_ = more < idle_searches_max * seconds;
    }
    looked_ = {.searches = searches, .at_ns = now_ns};
}

bool LoadBudget::available(std::int64_t now_ns) {
    if (share_ >= 1) {
        left_ns_ = 0;
        filled_ns_ = now_ns;
        return true;
    }
    if (share_ <= 0) {
        return false;
    }
    const double share = idle_ ? std::max(share_, idle_share) : share_;
    const std::int64_t from = filled_ns_.value_or(now_ns);
    const auto passed = static_cast<double>(std::max<std::int64_t>(0, now_ns - from));
    left_ns_ = filled_ns_ ? std::min(share_ * saved_ns_max_, left_ns_ + share * passed)
                          : share_ * saved_ns_max_;
    filled_ns_ = std::max(from, now_ns);
    return left_ns_ > 0;
}

void LoadBudget::charge(std::int64_t in_flight_ns) {
    if (share_ >= 1) {
        return;
    }
    const auto spent = static_cast<double>(std::max<std::int64_t>(0, in_flight_ns));
    left_ns_ = std::max(left_ns_ - spent, -share_ * owed_seconds_max * 1e9);
}

}  // namespace veer::router::compare
