#include "router/freshness.hpp"

namespace veer::router {

config::Freshness freshness_of(std::string_view session, const config::Freshness& route) {
    return session.empty() ? route : config::parse_freshness(session).value_or(config::Freshness{});
}

void FreshnessGauge::note(storage::Lsn end, Duration asked) {
    const std::lock_guard lock(mutex_);
    const bool shorter =
        ahead_.empty() ? reached_.has_value() && end < reached_->end : end < ahead_.back().end;
    if (shorter) {  // another server's log
        ahead_.clear();
        reached_.reset();
    }
    if (ahead_.size() == kept_max) {
        ahead_.pop_back();  // the oldest ones are reached first
    }
    ahead_.push_back({end, asked});
}

bool FreshnessGauge::holds(storage::Lsn applied, std::chrono::milliseconds bound, Duration now) {
    asked_.store(now.count(), std::memory_order_relaxed);
    ever_asked_.store(true, std::memory_order_relaxed);
    const std::optional<Duration> known = as_of(applied);
    return known.has_value() && now - *known <= bound;
}

std::optional<FreshnessGauge::Duration> FreshnessGauge::as_of(storage::Lsn applied) {
    const std::lock_guard lock(mutex_);
    while (!ahead_.empty() && ahead_.front().end <= applied) {
        reached_ = ahead_.front();
        ahead_.pop_front();
    }
    // Another copy may be behind it, or the position was read before somebody else's.
    return reached_.has_value() && reached_->end <= applied ? std::optional(reached_->asked)
                                                            : std::nullopt;
}

bool FreshnessGauge::wanted(Duration now) const {
    return ever_asked_.load(std::memory_order_relaxed) &&
           now - Duration{asked_.load(std::memory_order_relaxed)} <= wanted_for;
}

}  // namespace veer::router
