#include "router/cutover/control_entry.hpp"

#include <utility>

// What operators see.

namespace veer::router::cutover {

RouteView Control::view(const Entry& entry) const {
    const Position& position = entry.position;
    const Situation judged = situation(entry);
    RouteView row;
    row.route = entry.name;
    row.state = position.state;
    row.desired = position.desired;
    row.allowed = position.allowed();
    row.effective = entry.live ? entry.traffic->share() : 0;
    row.why = to_string(entry.traffic->cause());
    if (row.why.empty() && !entry.live && position.desired > 0) {
        row.why = "not_live";
    }
    row.revision = position.revision;
    row.origin = position.origin;
    row.since = position.since;
    row.held = position.held;
    row.next_step = position.state == State::complete || position.state == State::off
                        ? std::nullopt
                        : step_above(policy_.cutover.steps, position.allowed());
    if (row.next_step) {
        const bool stays = position.state >= State::canary;
        row.next_step_at = position.since + (stays ? policy_.cutover.step_min : Duration(0));
        if (position.trip) {
            row.next_step_at = std::max(*row.next_step_at, position.trip->cool_until);
        }
    }
    row.trial_until = position.trial ? std::optional(position.trial->until) : std::nullopt;
    row.trip = position.trip;
    row.verdict = judged.verdict;
    row.obstacle = judged.obstacle;
    row.evidence = entry.evidence;
    row.lag = entry.guards.lag();
    row.veer = entry.traffic->veer.load(std::memory_order_relaxed);
    row.postgres = entry.traffic->postgres.load(std::memory_order_relaxed);
    row.fallbacks = entry.traffic->fallbacks.load(std::memory_order_relaxed);
    return row;
}

std::vector<RouteView> Control::routes() const {
    const std::lock_guard lock(mutex_);
    std::vector<RouteView> rows;
    for (const auto& [name, entry] : entries_) {
        if (entry->adopted) {
            rows.push_back(view(*entry));
        }
    }
    return rows;
}

std::vector<GateView> Control::gates() const {
    const std::lock_guard lock(mutex_);
    std::vector<GateView> rows;
    for (const auto& [name, entry] : entries_) {
        if (entry->adopted) {
            for (const Gate& gate : cutover::gates(
                     entry->evidence, policy_.gates, policy_.cutover.evidence_age_max, now_
                 )) {
                rows.push_back({name, gate});
            }
        }
    }
    return rows;
}

std::vector<GuardView> Control::guards() const {
    const std::lock_guard lock(mutex_);
    std::vector<GuardView> rows;
    for (const auto& [name, entry] : entries_) {
        if (entry->adopted) {
            for (Guard& guard : entry->guards.describe()) {
                entry->guard_times.tell(guard, now_);
                rows.push_back({name, guard});
            }
        }
    }
    return rows;
}

std::vector<RuleView> Control::rule_views() const {
    return rules()->views();
}

std::shared_ptr<const RuleSet> Control::rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

std::string Control::salt_suffix(const std::string& route) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(route);
    const std::uint32_t times = found == entries_.end() ? 0 : found->second->position.reshuffles;
    return times == 0 ? std::string() : '#' + std::to_string(times);
}

bool Control::unreadable() const {
    const std::lock_guard lock(mutex_);
    return unreadable_;
}

std::vector<AuditRecord> Control::audit() const {
    const std::lock_guard lock(mutex_);
    return {recent_.begin(), recent_.end()};
}

std::vector<std::string> Control::take_notices() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notices_, {});
}

}  // namespace veer::router::cutover
