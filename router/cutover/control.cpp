#include "router/cutover/control.hpp"

#include "router/cutover/control_entry.hpp"
#include "router/cutover/text.hpp"

#include <algorithm>
#include <utility>

// Commands, and what brings the stored state back. What moves by itself: control_course.cpp.

namespace veer::router::cutover {

Control::Control() : rules_(std::make_shared<RuleSet>()) {}

Control::~Control() = default;

void Control::connect(Keeper keeper) {
    const std::lock_guard lock(mutex_);
    keeper_ = std::move(keeper);
}

std::string Control::restore(std::string_view state, std::string_view last_audit_line, Time now) {
    const std::lock_guard lock(mutex_);
    advance_clock(now);
    std::string problem;
    Stored stored;
    if (!state.empty()) {
        auto decoded = decode(state);
        if (auto* why = std::get_if<std::string>(&decoded)) {
            problem = std::move(*why);
        } else {
            stored = std::get<Stored>(std::move(decoded));
        }
    }
    unreadable_ = !problem.empty();
    if (stored.panic) {
        panic_.fetch_or(by_command, std::memory_order_relaxed);
    }
    audit_seq_ = stored.audit_seq;
    audit_hash_ = stored.audit_hash;
    if (const auto last = audit_from_line(last_audit_line); last && keeper_.hash) {
        audit_seq_ = last->seq;  // the file may be ahead of the state by what was never in effect
        audit_hash_ = keeper_.hash(last_audit_line);
    }
    for (auto& [name, route] : stored.routes) {
        auto& entry = entries_[name];
        if (entry == nullptr) {
            entry = std::make_unique<Entry>(name, policy_);
        }
        entry->position = std::move(route.position);
        entry->evidence = route.evidence;
        entry->known = true;
    }
    publish_all();
    return problem;
}

void Control::configure(const Policy& policy, std::vector<config::Rule> rules) {
    const std::lock_guard lock(mutex_);
    const bool other_guards = !(policy.guards == policy_.guards && policy.gates == policy_.gates);
    policy_ = policy;
    rules_ = std::make_shared<RuleSet>(std::move(rules), rules_.get());
    for (auto& [name, entry] : entries_) {
        if (other_guards) {
            entry->guards = Guards(policy_.guards, policy_.gates);
        }
        publish(*entry);
    }
}

std::shared_ptr<Traffic> Control::adopt(const std::string& route, double file_percent) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[route];
    if (entry == nullptr) {
        entry = std::make_unique<Entry>(route, policy_);
    }
    entry->adopted = true;
    if (!entry->known) {
        entry->known = true;
        entry->position = configured(0, now_);
    }
    if (const auto wanted = after_file(entry->position, file_percent, now_)) {
        if (wanted->desired > entry->position.desired && policy_.cutover.gated &&
            situation(*entry).verdict != Verdict::pass) {
            notices_.push_back(
                route + ": " + number_to_text(file_percent) +
                " % as the configuration says, without evidence for it"
            );
        }
        move_by_itself(*entry, *wanted, "configuration", "its percentage was changed");
    }
    publish(*entry);
    return entry->traffic;
}

void Control::set_live(const std::set<std::string>& routes) {
    const std::lock_guard lock(mutex_);
    for (auto& [name, entry] : entries_) {
        entry->live = routes.contains(name);
    }
}

Reply Control::apply(
    const Command& command,
    std::optional<std::uint64_t> expected_revision,
    const Operator& who,
    Time now
) {
    const std::lock_guard lock(mutex_);
    advance_clock(now);
    if (command.verb == Verb::panic || command.verb == Verb::unpanic) {
        return set_panic(command.verb == Verb::panic, command, who);
    }
    if (command.verb == Verb::rollback_all) {
        return apply_to_all(command, who);
    }
    if (Entry* const entry = find(command.route)) {
        return apply_to(*entry, command, expected_revision, who);
    }
    std::string known;
    for (const auto& [name, entry] : entries_) {
        known += entry->adopted ? (known.empty() ? "" : ", ") + name : "";
    }
    return {
        .done = false,
        .code = std::string(refused::unknown_route),
        .message = "There is no route \"" + command.route + "\"; " +
                   (known.empty() ? "there is none yet." : "there are: " + known + '.'),
        .next_step = "SHOW ROUTES",
        .route = command.route};
}

Reply Control::apply_to(
    Entry& entry, const Command& command, std::optional<std::uint64_t> expected, const Operator& who
) {
    Planned planned = plan(entry.name, entry.position, command, expected, situation(entry));
    if (auto* refusal = std::get_if<Reply>(&planned)) {
        return std::move(*refusal);
    }
    return commit(entry, std::get<Position>(std::move(planned)), command, who);
}

Reply Control::commit(Entry& entry, Position wanted, const Command& command, const Operator& who) {
    Reply reply{
        .done = true,
        .code = "ok",
        .message = position_text(entry.position.state, entry.position.desired) + " -> " +
                   position_text(wanted.state, wanted.desired),
        .next_step = wanted.trial ? "confirm " + entry.name : "",
        .route = entry.name,
        .revision = wanted.revision};
    if (command.dry_run) {
        reply.message = "would be: " + reply.message;
        reply.revision = entry.position.revision;
        return reply;
    }
    const Position before = entry.position;
    const bool forward = !goes_back(command.verb);
    if (!forward) {
        entry.traffic->set(
            wanted.state, std::min(wanted.allowed(), entry.traffic->share()), cause(entry)
        );
    }
    AuditRecord decision = record(entry, wanted, who);
    decision.action = to_string(command.verb);
    decision.reason = command.reason;
    std::string problem = append(decision);
    const Evidence evidence = entry.evidence;
    settle(entry, std::move(wanted));
    if (problem.empty() || !forward) {
        const std::string unsaved = save();
        problem += (problem.empty() || unsaved.empty() ? "" : " ") + unsaved;
    }
    if (!problem.empty() && forward) {
        entry.position = before;
        entry.evidence = evidence;
        decision.action = "not saved: " + decision.action;
        std::swap(decision.from, decision.to);
        append(std::move(decision));  // as far as it goes
        publish(entry);
        reply = {
            .done = false,
            .code = std::string(refused::not_saved),
            .message = "The state could not be stored: " + problem,
            .next_step = "make room or give rights in veer's data directory, then repeat",
            .route = entry.name,
            .revision = before.revision};
    } else if (!problem.empty()) {
        save_later(problem);
        reply.message += ". It holds now, but could not be stored: " + problem;
    }
    return reply;
}

/// What follows from a new position, before it is stored.
void Control::settle(Entry& entry, Position wanted) {
    const bool raised = wanted.allowed() > entry.position.allowed();
    const bool guarded = wanted.trip && wanted.trip != entry.position.trip;
    const bool lowered_by_guard = wanted.ceiling < entry.position.ceiling;
    if (raised || guarded || lowered_by_guard) {
        // The next step needs evidence of its own, from the traffic as it is then.
        entry.evidence = Evidence();
        entry.guards.start_afresh();
    }
    if (wanted.reshuffles != entry.position.reshuffles) {
        reshuffles_.fetch_add(1, std::memory_order_release);
    }
    entry.position = std::move(wanted);
    publish(entry);
}

Reply Control::apply_to_all(const Command& command, const Operator& who) {
    Reply all{
        .done = true,
        .code = "ok",
        .message = "Postgres answers everything.",
        .next_step = "",
        .route = ""};
    for (auto& [name, entry] : entries_) {
        Command one = command;
        one.verb = Verb::rollback;
        one.route = name;
        const Reply reply = apply_to(*entry, one, std::nullopt, who);
        all.done = all.done && reply.done;
        all.message += reply.code == "no_change" ? "" : ' ' + name + ": " + reply.message + '.';
    }
    return all;
}

Reply Control::set_panic(bool on, const Command& command, const Operator& who) {
    Reply reply{.done = true, .code = "ok", .message = {}, .next_step = {}, .route = ""};
    if (!on && (panic_.load() & by_file) != 0) {
        reply.done = false;
        reply.code = refused::panic_file;
        reply.message = "The panic file is still in the data directory.";
        reply.next_step = "remove the file panic from veer's data directory";
        return reply;
    }
    if (!on && unreadable_) {
        reply.done = false;
        reply.code = refused::state_file;
        reply.message = "The stored state could not be read when veer started.";
        reply.next_step = "bring the state file back or move it away, as the log says";
        return reply;
    }
    reply.message = on ? "Panic: all searches go to Postgres." : "Searches are routed again.";
    reply.next_step = on ? "unpanic" : "";
    if (command.dry_run) {
        return reply;
    }
    if (on) {
        panic_.fetch_or(by_command, std::memory_order_relaxed);
        publish_all();
    }
    AuditRecord decision;
    decision.at = now_;
    decision.actor = who.name;
    decision.via = who.via;
    decision.action = to_string(command.verb);
    decision.reason = command.reason;
    std::string problem = append(std::move(decision));
    if (!on) {
        panic_.fetch_and(~unsigned{by_command}, std::memory_order_relaxed);
    }
    if (problem.empty() || on) {
        problem += save();
    }
    if (!problem.empty() && !on) {
        panic_.fetch_or(by_command, std::memory_order_relaxed);
        reply.done = false;
        reply.code = refused::not_saved;
        reply.message = "The state could not be stored: " + problem;
        reply.next_step = "make room or give rights in veer's data directory, then repeat";
    } else if (!problem.empty()) {
        save_later(problem);
        reply.message += " It could not be stored: " + problem;
    }
    publish_all();
    return reply;
}

Control::Entry* Control::find(const std::string& route) {
    const auto found = entries_.find(route);
    return found == entries_.end() || !found->second->adopted ? nullptr : found->second.get();
}

AuditRecord Control::record(const Entry& entry, const Position& wanted, const Operator& who) const {
    AuditRecord record;
    record.at = now_;
    record.actor = who.name;
    record.via = who.via;
    record.route = entry.name;
    record.revision = wanted.revision;
    record.from = position_text(entry.position.state, entry.position.allowed());
    record.to = position_text(wanted.state, wanted.allowed());
    record.wanted = wanted_text(policy_.gates, policy_.cutover.evidence_age_max);
    record.evidence = to_text(entry.evidence);
    record.verdict = to_string(situation(entry).verdict);
    return record;
}

std::string Control::append(AuditRecord record) {
    record.seq = audit_seq_ + 1;
    record.previous = audit_hash_;
    const std::string line = to_line(record);
    if (keeper_.append_audit) {
        if (std::string problem = keeper_.append_audit(line); !problem.empty()) {
            return problem;
        }
    }
    ++audit_seq_;
    audit_hash_ = keeper_.hash ? keeper_.hash(line) : std::string();
    recent_.push_back(std::move(record));
    if (recent_.size() > recent_max) {
        recent_.pop_front();
    }
    return {};
}

std::string Control::save() {
    if (!keeper_.save_state || unreadable_) {
        return {};
    }
    Stored stored{
        .panic = (panic_.load() & by_command) != 0,
        .audit_seq = audit_seq_,
        .audit_hash = audit_hash_,
        .routes = {}};
    for (const auto& [name, entry] : entries_) {
        stored.routes[name] = {.position = entry->position, .evidence = entry->evidence};
    }
    std::string problem = keeper_.save_state(encode(stored));
    unsaved_ = unsaved_ && !problem.empty();
    evidence_unsaved_ = evidence_unsaved_ && !problem.empty();
    saved_at_ = now_;
    return problem;
}

void Control::save_later(const std::string& what) {
    unsaved_ = true;
    notices_.push_back("not stored yet: " + what);
}

void Control::advance_clock(Time now) {
    now_ = std::max(now_, now);
}

}  // namespace veer::router::cutover
