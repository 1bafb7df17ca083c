#include "proxy/net/upstreams.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace veer::proxy::net {

Upstreams::Upstreams(std::vector<Endpoint> hosts, TargetSessionAttrs wanted, bool shuffled)
    : hosts_(std::move(hosts)), wanted_(wanted), shuffled_(shuffled), states_(hosts_.size()) {}

std::optional<int> Upstreams::rank(HostRole role) const {
    // Last, but not refused: veer's own trouble (a password, say) is no reason to serve nobody.
    constexpr int last = 9;
    if (wanted_ == TargetSessionAttrs::any) {
        return 0;
    }
    switch (role) {
        case HostRole::unknown:
        case HostRole::unreachable:
            return std::nullopt;
        case HostRole::unreadable:
            return last;
        case HostRole::primary:
        case HostRole::read_only:
        case HostRole::standby:
            break;
    }
    const bool standby = role == HostRole::standby;
    const bool writes = role == HostRole::primary;
    const auto if_fits = [](bool fits) {
        return fits ? std::optional(0) : std::nullopt;
    };
    switch (wanted_) {
        case TargetSessionAttrs::any:
            return 0;
        case TargetSessionAttrs::read_write:
            return if_fits(writes);
        case TargetSessionAttrs::read_only:
            return if_fits(!writes);
        case TargetSessionAttrs::primary:
            return if_fits(!standby);
        case TargetSessionAttrs::standby:
            return if_fits(standby);
        case TargetSessionAttrs::prefer_standby:
            return standby ? 0 : 1;
    }
    return std::nullopt;
}

std::vector<Endpoint> Upstreams::candidates(Clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    std::vector<std::tuple<bool, int, std::size_t, std::size_t>> order;
    bool some_unknown = false;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        some_unknown = some_unknown || states_[i].role == HostRole::unknown;
        if (const auto fit = rank(states_[i].role)) {
            const std::size_t place = shuffled_ ? random_() : i;
            order.emplace_back(states_[i].avoided_until > now, *fit, place, i);
        }
    }
    std::sort(order.begin(), order.end());
    if (wanted_ == TargetSessionAttrs::prefer_standby && some_unknown &&
        (order.empty() || std::get<1>(order.front()) != 0)) {
        return {};  // the standby may be the one that has not been looked at yet
    }
    std::vector<Endpoint> hosts;
    hosts.reserve(order.size());
    for (const auto& entry : order) {
        hosts.push_back(hosts_[std::get<3>(entry)]);
    }
    return hosts;
}

std::vector<std::pair<Endpoint, HostRole>> Upstreams::roles() {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<Endpoint, HostRole>> roles;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        roles.emplace_back(hosts_[i], states_[i].role);
    }
    return roles;
}

void Upstreams::note_failure(const Endpoint& host, Clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (hosts_[i] == host) {
            states_[i].avoided_until = now + avoided_for;
        }
    }
}

void Upstreams::note_role(const Endpoint& host, HostRole role) {
    std::vector<std::function<void()>> waiting;
    {
        const std::scoped_lock lock(mutex_);
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (hosts_[i] == host && states_[i].role != role) {
                states_[i] = {.role = role, .avoided_until = {}};
            }
        }
        waiting.swap(waiting_);
    }
    for (const auto& looked : waiting) {
        looked();
    }
}

void Upstreams::await_look(std::function<void()> looked) {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(std::move(looked));
}

}  // namespace veer::proxy::net
