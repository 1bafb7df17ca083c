#include "router/compare/sampling.hpp"

#include <algorithm>
#include <bit>

namespace veer::router::compare {

bool RecentSamples::enter(double place, std::int64_t now_ns) {
    while (!entries_.empty() &&
           (entries_.size() >= entries_max || now_ns - entries_.front().entered_ns >= age_max_ns)) {
        ids_.erase(entries_.front().id);
        entries_.pop_front();
    }
    const auto id = std::bit_cast<std::uint64_t>(place);
    if (!ids_.insert(id).second) {
        return false;
    }
    entries_.push_back({.id = id, .entered_ns = now_ns});
    return true;
}

void Budget::set_rate(double per_second) {
    per_second_ = per_second;
    left_ = std::min(left_, std::max(per_second_, 1.0));
}

void Budget::refill(std::int64_t now_ns) {
    constexpr double nanoseconds = 1e9;
    const double most = std::max(per_second_, 1.0);
    if (!begun_) {
        begun_ = true;
        left_ = per_second_ > 0 ? most : 0;
    } else {
        const auto passed = static_cast<double>(std::max<std::int64_t>(0, now_ns - filled_ns_));
        left_ = std::min(most, left_ + per_second_ * passed / nanoseconds);
    }
    filled_ns_ = std::max(filled_ns_, now_ns);
}

bool Budget::available(std::int64_t now_ns) {
    refill(now_ns);
    return left_ > 0;
}

bool Budget::take(std::int64_t now_ns) {
    refill(now_ns);
    if (left_ < 1) {
        return false;
    }
    left_ -= 1;
    return true;
}

void Pauses::begin(const std::string& route, std::int64_t now_ns) {
    std::erase_if(until_ns_, [now_ns](const auto& each) { return each.second <= now_ns; });
    until_ns_[route] = now_ns + length_ns;
}

void Pauses::begin_for_all(std::int64_t now_ns) {
    all_until_ns_ = now_ns + length_ns;
}

bool Pauses::paused(const std::string& route, std::int64_t now_ns) const {
    const auto found = until_ns_.find(route);
    return now_ns < all_until_ns_ || (found != until_ns_.end() && now_ns < found->second);
}

}  // namespace veer::router::compare
