#include "router/cutover/control_entry.hpp"

#include <utility>

// A rehearsal beside a position: it lowers what is effective, and is never stored.

namespace veer::router::cutover {

Reply Control::begin_drill(const std::string& route, Fault fault, const Operator& who, Time now) {
    const std::lock_guard lock(mutex_);
    advance_clock(now);
    Entry* const entry = find(route);
    if (entry == nullptr) {
        return unknown_route(route);
    }
    if (auto refusal = no_drill(*entry)) {
        return *std::move(refusal);
    }
    entry->drill.emplace(Entry::Drill{
        .rehearsal = Rehearsal(fault, entry->position, entry->guards), .who = who});
    return {
        .done = true,
        .code = "ok",
        .message = "The drill has begun.",
        .next_step = "",
        .route = route,
        .revision = entry->position.revision};
}

std::optional<Reply> Control::no_drill(const Entry& entry) const {
    const auto refuse = [&entry](std::string_view code, std::string why, std::string next) {
        return Reply{
            .done = false,
            .code = std::string(code),
            .message = std::move(why),
            .next_step = std::move(next),
            .route = entry.name,
            .revision = entry.position.revision};
    };
    if (unreadable_) {
        return refuse(
            refused::state_file,
            "The stored state could not be read when veer started: Postgres answers.",
            "bring the state file back or move it away, as the log says"
        );
    }
    if (panic()) {
        return refuse(refused::panic, "Panic is on: Postgres answers already.", "unpanic");
    }
    if (entry.drill) {
        return refuse(refused::drill, "A drill is under way.", "wait for it to end");
    }
    if (entry.pending) {
        return refuse(refused::busy, "A raise is being stored.", "again in a moment");
    }
    if (entry.position.trip && entry.position.ceiling <= 0) {
        return refuse(refused::tripped, "A guard has taken the traffic back already.", "");
    }
    if (entry.position.allowed() <= 0) {
        return refuse(
            refused::state,
            "It is " + std::string(to_string(entry.position.state)) +
                ": the index has no share that could be taken back.",
            "promote " + entry.name
        );
    }
    if (!entry.live || entry.guards.lagging()) {
        return refuse(refused::not_live, not_ready(entry), "SHOW REPLICATION");
    }
    return std::nullopt;
}

DrillLook Control::step_drill(const std::string& route, Time now) {
    DrillLook look;
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        Entry* const entry = find(route);
        if (entry == nullptr || !entry->drill) {
            return look;
        }
        Rehearsal& rehearsal = entry->drill->rehearsal;
        const bool open = !rehearsal.closed();
        if (open) {
            rehearsal.step(policy_.cutover, policy_.guards, now_);
            publish(*entry);
        }
        look = {
            .running = !panic(),
            .closed = rehearsal.closed(),
            .guard = rehearsal.guard(),
            .answers = rehearsal.answers(),
            .would_take = time_for(rehearsal.answers(), entry->evidence)};
        if (open && look.closed) {
            AuditRecord record = drill_record(*entry, entry->drill->who);
            std::swap(record.from, record.to);
            record.action = "drill";
            record.reason = "made up: " + std::string(to_string(rehearsal.fault())) + "; guard " +
                            rehearsal.guard() + ", " + rehearsal.why();
            Done nobody;
            keep({.record = std::move(record), .reply = {}}, nobody);
        }
    }
    stir();
    return look;
}

void Control::end_drill(
    const std::string& route,
    const std::string& found,
    const Operator& who,
    Time now,
    const Done& recorded
) {
    Now reply = Reply{};
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        if (Entry* const entry = find(route)) {
            AuditRecord record = drill_record(*entry, who);
            record.action = "drill over";
            record.reason = found;
            notices_.push_back(entry->name + ": drill over: " + found);
            entry->drill.reset();
            publish(*entry);
            Done done = recorded;
            reply = keep({.record = std::move(record), .reply = {}}, done);
        }
    }
    if (reply && recorded) {
        recorded(*reply);
    }
    stir();
}

/// From what a closed drill has made of the route to what holds.
AuditRecord Control::drill_record(const Entry& entry, const Operator& who) const {
    AuditRecord made = record(entry, entry.position, who);
    if (entry.drill && entry.drill->rehearsal.closed()) {
        made.from = position_text(entry.position.state, 0);
    }
    return made;
}

}  // namespace veer::router::cutover
