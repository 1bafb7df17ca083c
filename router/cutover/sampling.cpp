#include "router/cutover/sampling.hpp"

#include <algorithm>

namespace veer::router::cutover {

void LagMeter::note(std::uint64_t position, Time at) {
    last_ = at;
    if (!ahead_.empty() && ahead_.back().position >= position) {
        return;  // since then nothing was written
    }
    if (ahead_.size() >= kept_max) {
        ahead_.pop_back();  // the oldest is the one that counts
    }
    ahead_.push_back({position, at});
}

std::optional<Duration> LagMeter::lag(std::uint64_t applied, Time now) {
    while (!ahead_.empty() && ahead_.front().position <= applied) {
        ahead_.pop_front();
    }
    if (!ahead_.empty()) {
        return std::max(Duration(0), now - ahead_.front().at);
    }
    return last_ && now - *last_ <= stale_after ? std::optional(Duration(0)) : std::nullopt;
}

void Sampler::note(const UpstreamLook& look, Time at) {
    lag_.note(look.position, at);
    look_ = look;
    at_ = at;
}

std::optional<UpstreamLook> Sampler::last(Time now) const {
    return look_ && now - at_ <= LagMeter::stale_after ? look_ : std::nullopt;
}

Gauges Sampler::gauges(const OwnLook& own, Time now) {
    const auto share = [](std::uint64_t part, std::uint64_t whole) {
        return whole == 0 ? std::nullopt
                          : std::optional(static_cast<double>(part) / static_cast<double>(whole));
    };
    Gauges gauges{
        .lag = lag_.lag(own.applied, now),
        .memory_used = share(own.memory_bytes, own.memory_bytes_max)};
    if (const auto look = last(now)) {
        gauges.wal_retained_bytes = look->wal_retained_bytes;
        gauges.postgres_pressure = share(look->connections, look->connections_max);
    }
    return gauges;
}

bool Sampler::flush_due(const Gauges& gauges, Time now) {
    constexpr Duration behind = std::chrono::milliseconds(300);
    constexpr Duration pause = std::chrono::seconds(1);
    if (!gauges.lag || *gauges.lag < behind || now - flushed_at_ < pause) {
        return false;
    }
    flushed_at_ = now;
    return true;
}

std::string CopyWatch::changed(const std::string& route, const Copy& copy) {
    const auto found = known_.find(route);
    const bool first = found == known_.end();
    Known& known = first ? known_[route] : found->second;
    const bool same = !first && known.index.lock() == copy.index;
    const std::uint64_t rebuilds = known.rebuilds;
    known = {.index = copy.index, .rebuilds = copy.rebuilds};
    if (first) {
        return copy.restored ? "" : "its index was built when veer started";
    }
    if (!same) {
        return "the table was copied anew";
    }
    return copy.rebuilds == rebuilds ? "" : "its index was built anew";
}

}  // namespace veer::router::cutover
