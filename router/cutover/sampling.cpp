#include "router/cutover/sampling.hpp"

#include <algorithm>
#include <utility>

namespace veer::router::cutover {

void LagMeter::note(std::uint64_t position, Time at) {
    last_ = at;
    while (!ahead_.empty() && ahead_.back().position > position) {
        ahead_.pop_back();  // gone back: that will never come
    }
    if (!ahead_.empty() && ahead_.back().position == position) {
        return;  // since then nothing was written
    }
    if (ahead_.size() >= 2 && ahead_.back().at - ahead_[ahead_.size() - 2].at < spacing_) {
        ahead_.pop_back();
    } else if (ahead_.size() >= kept_max) {
        thin_out();
    }
    ahead_.push_back({position, at});
}

/// Forgets every second one, but not the oldest; those to come are to be as far apart.
void LagMeter::thin_out() {
    spacing_ = (ahead_.back().at - ahead_.front().at) / (kept_max / 2);
    std::deque<Seen> kept;
    for (std::size_t i = 0; i < ahead_.size(); i += 2) {
        kept.push_back(ahead_[i]);
    }
    ahead_ = std::move(kept);
}

std::optional<Duration> LagMeter::lag(std::uint64_t applied, Time now) {
    while (!ahead_.empty() && ahead_.front().position <= applied) {
        ahead_.pop_front();
    }
    spacing_ = ahead_.empty() ? Duration(0) : spacing_;
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
    const std::size_t engine = known.engine;
    known = {.index = copy.index, .rebuilds = copy.rebuilds, .engine = copy.engine};
    if (first && copy.engine != 0) {
        return "another server answers, and whether it is the one from before nobody can tell";
    }
    if (first) {
        return copy.restored ? "" : "its index was built when veer started";
    }
    if (engine != copy.engine) {
        return "it is answered by another server than before";
    }
    if (!same) {
        return "the table was copied anew";
    }
    return copy.rebuilds == rebuilds ? "" : "its index was built anew";
}

}  // namespace veer::router::cutover
