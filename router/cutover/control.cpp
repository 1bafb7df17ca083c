#include "router/cutover/control.hpp"

#include "router/cutover/control_entry.hpp"
#include "router/cutover/text.hpp"

#include <algorithm>
#include <utility>

// Commands, and what brings the stored state back. What moves by itself: control_course.cpp; what
// is written: control_store.cpp.

namespace veer::router::cutover {

Control::Control() : rules_(std::make_shared<RuleSet>()) {}

Control::~Control() = default;

bool Control::unpanicking() const {
    const std::lock_guard lock(mutex_);
    return unpanic_ != 0;
}

void Control::connect(Keeper keeper) {
    keeper_ = std::move(keeper);
}

std::string Control::restore(std::string_view state, std::string_view last_audit_line, Time now) {
    const std::scoped_lock lock(storing_, mutex_);
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
    const bool was_unreadable = std::exchange(unreadable_, !problem.empty());
    if (stored.panic) {
        panic_.fetch_or(by_command, std::memory_order_relaxed);
    }
    unsaved_ = unsaved_ || (was_unreadable && !unreadable_);  // what was decided meanwhile
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
        entry->known = true;
        entry->pending.reset();
        if (entry->moved_unread) {
            // The file is older than what a person or a guard has decided since.
            entry->position.revision =
                std::max(entry->position.revision, route.position.revision) + 1;
            entry->moved_unread = unreadable_;
            continue;
        }
        entry->position = std::move(route.position);
        entry->evidence = route.evidence;
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
            entry->guards.configure(policy_.guards, policy_.gates);
        }
        publish(*entry);
    }
}

std::shared_ptr<Traffic> Control::adopt(const std::string& route, double file_percent, ShareOf by) {
    std::shared_ptr<Traffic> traffic;
    {
        const std::lock_guard lock(mutex_);
        auto& entry = entries_[route];
        if (entry == nullptr) {
            entry = std::make_unique<Entry>(route, policy_);
        }
        entry->adopted = true;
        // Who may make an index may not take back what an operator or a guard has decided.
        const bool holds = by == ShareOf::file || !entry->known ||
                           (by == ShareOf::statement && entry->position.origin == Origin::file);
        if (!entry->known) {
            entry->known = true;
            entry->position = configured(0, now_);
        }
        const double percent = holds ? file_percent : entry->position.file_percent;
        if (const auto wanted = after_file(entry->position, percent, now_)) {
            const bool blind = wanted->desired > entry->position.desired && policy_.cutover.gated &&
                               situation(*entry).verdict != Verdict::pass;
            const std::string reason = "its percentage was changed";
            const std::string_view evidence = blind ? ", without evidence for it" : "";
            move_by_itself(*entry, *wanted, "configuration", reason + std::string(evidence));
        }
        publish(*entry);
        traffic = entry->traffic;
    }
    stir();
    return traffic;
}

void Control::set_live(const std::set<std::string>& routes) {
    const std::lock_guard lock(mutex_);
    for (auto& [name, entry] : entries_) {
        entry->live = routes.contains(name);
    }
}

void Control::apply(
    const Command& command,
    std::optional<std::uint64_t> expected_revision,
    const Operator& who,
    Time now,
    Done done
) {
    Now reply;
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        reply = decide(command, expected_revision, who, done);
    }
    if (reply && done) {
        done(*reply);
    }
    stir();
}

Control::Now Control::decide(
    const Command& command, std::optional<std::uint64_t> expected, const Operator& who, Done& done
) {
    if (command.verb == Verb::panic || command.verb == Verb::unpanic) {
        return set_panic(command.verb == Verb::panic, command, who, done);
    }
    if (command.verb == Verb::rollback_all) {
        return apply_to_all(command, who, done);
    }
    if (Entry* const entry = find(command.route)) {
        return apply_to(*entry, command, expected, who, done);
    }
    return unknown_route(command.route);
}

Reply Control::unknown_route(const std::string& route) const {
    std::string known;
    for (const auto& [name, entry] : entries_) {
        known += entry->adopted ? (known.empty() ? "" : ", ") + name : "";
    }
    return Reply{
        .done = false,
        .code = std::string(refused::unknown_route),
        .message = "There is no route \"" + route + "\"; " +
                   (known.empty() ? "there is none yet." : "there are: " + known + '.'),
        .next_step = "SHOW ROUTES",
        .route = route};
}

Control::Now Control::apply_to(
    Entry& entry,
    const Command& command,
    std::optional<std::uint64_t> expected,
    const Operator& who,
    Done& done
) {
    const bool lowers = command.verb == Verb::promote && command.percent &&
                        *command.percent < entry.position.allowed();
    const bool back = lowers || goes_back(entry.position, command.verb);
    const bool behind = entry.pending && !back;  // another's raise, which is being stored
    const Position& from = behind ? entry.pending->wanted : entry.position;
    Planned planned = plan(entry.name, from, command, expected, situation(entry));
    auto* const refusal = std::get_if<Reply>(&planned);
    if (refusal != nullptr && !(entry.pending && refusal->done)) {
        return std::move(*refusal);
    }
    if (refusal != nullptr && back) {
        planned = entry.position;  // nothing to take back but what is under way
    } else if (behind) {
        return Reply{
            .done = false,
            .code = std::string(refused::busy),
            .message = "The move before it is being stored.",
            .next_step = "again in a moment; rollback " + entry.name + " takes effect at once",
            .route = entry.name,
            .revision = entry.position.revision};
    }
    Position wanted = std::get<Position>(std::move(planned));
    if (entry.pending) {
        wanted.revision = entry.pending->wanted.revision + 1;
    }
    return commit(entry, std::move(wanted), command, who, done);
}

Control::Now Control::commit(
    Entry& entry, Position wanted, const Command& command, const Operator& who, Done& done
) {
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
    const bool at_once =
        goes_back(entry.position, command.verb) || wanted.allowed() < entry.position.allowed();
    Decision decision{.record = record(entry, wanted, who), .reply = std::move(reply)};
    decision.record.action = to_string(command.verb);
    decision.record.reason = command.reason;
    if (at_once) {
        settle(entry, std::move(wanted));
    } else if (!full()) {
        decision.raise = ++raises_;
        entry.pending = Entry::Pending{.raise = decision.raise, .wanted = std::move(wanted)};
    } else {
        return not_saved(decision.reply, "too much waits for the disk already.");
    }
    return keep(std::move(decision), done);
}

/// A new position holds.
void Control::settle(Entry& entry, Position wanted) {
    const bool raised = wanted.allowed() > entry.position.allowed();
    const bool guarded = wanted.trip && wanted.trip != entry.position.trip;
    const bool lowered_by_guard = wanted.ceiling < entry.position.ceiling;
    if (raised || guarded || lowered_by_guard) {
        // The next step needs evidence of its own, from the traffic as it is then.
        entry.evidence = Evidence();
        if (raised) {
            entry.guards.start_afresh();
        } else {
            entry.guards.begin_anew();
        }
    }
    if (wanted.reshuffles != entry.position.reshuffles) {
        reshuffles_.fetch_add(1, std::memory_order_release);
    }
    entry.moved_unread = entry.moved_unread || (unreadable_ && wanted.origin != Origin::file);
    entry.position = std::move(wanted);
    entry.pending.reset();
    entry.drill.reset();
    unsaved_ = true;
    publish(entry);
}

Control::Now Control::apply_to_all(const Command& command, const Operator& who, Done& done) {
    Reply all{
        .done = true,
        .code = "ok",
        .message = "Postgres answers everything.",
        .next_step = "",
        .route = ""};
    Decision* last = nullptr;
    for (auto& [name, entry] : entries_) {
        Command one = command;
        one.verb = Verb::rollback;
        one.route = name;
        Done nobody;
        const std::size_t before = outbox_.size();
        const Now reply = apply_to(*entry, one, std::nullopt, who, nobody);
        last = outbox_.size() > before ? &outbox_.back() : last;
        if (reply) {
            all.done = all.done && reply->done;
            all.message +=
                reply->code == "no_change" ? "" : ' ' + name + ": " + reply->message + '.';
        } else {
            all.message += ' ' + name + ": " + outbox_.back().reply.message + '.';
        }
    }
    if (last == nullptr) {
        return all;
    }
    last->reply = std::move(all);
    last->done = std::exchange(done, nullptr);
    return std::nullopt;
}

Control::Now Control::set_panic(bool on, const Command& command, const Operator& who, Done& done) {
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
    Decision decision{.record = {}, .reply = std::move(reply)};
    decision.record.at = now_;
    decision.record.actor = who.name;
    decision.record.via = who.via;
    decision.record.action = to_string(command.verb);
    decision.record.reason = command.reason;
    if (on) {
        panic_.fetch_or(by_command, std::memory_order_relaxed);
        unpanic_ = 0;
        unsaved_ = true;
        publish_all();
    } else if (full()) {
        return not_saved(decision.reply, "too much waits for the disk already.");
    } else {
        unpanic_ = decision.raise = ++raises_;
    }
    return keep(std::move(decision), done);
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

void Control::advance_clock(Time now) {
    now_ = std::max(now_, now);
}

}  // namespace veer::router::cutover
