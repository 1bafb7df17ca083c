#include "router/cutover/control_entry.hpp"

#include <utility>

// What is written, and what then holds.

namespace veer::router::cutover {

namespace {

constexpr Duration pause_after_failure = std::chrono::seconds(1);

}  // namespace

Reply not_saved(Reply reply, const std::string& problem) {
    reply.done = false;
    reply.code = refused::not_saved;
    reply.message = "The state could not be stored: " + problem;
    reply.next_step = "make room or give rights in veer's data directory, then repeat";
    return reply;
}

Reply overtaken(Reply reply) {
    reply.done = false;
    reply.code = refused::overtaken;
    reply.message = "While it was being stored, somebody or a guard moved the other way.";
    reply.next_step = "look at it again";
    return reply;
}

/// Has it written, and `done` told then.
Control::Now Control::keep(Decision decision, Done& done) {
    if (full()) {
        notices_.push_back("missing in the audit: " + decision.record.action);
        decision.reply.message += ". It holds now, but too much waits for the disk already.";
        return decision.reply;
    }
    decision.done = std::exchange(done, nullptr);
    outbox_.push_back(std::move(decision));
    not_before_ = std::min(not_before_, now_);
    return std::nullopt;
}

void Control::store() {
    const std::lock_guard one_at_a_time(storing_);
    std::vector<Answer> answers;
    std::deque<Decision> batch;
    bool anything = false;
    {
        const std::lock_guard lock(mutex_);
        batch = take(answers);
        anything = !batch.empty() || unsaved_;
        unsaved_ = false;
    }
    if (anything) {
        std::size_t appended = 0;
        std::string audit_problem;
        while (appended < batch.size() && audit_problem.empty()) {
            audit_problem = append(batch[appended]);
            appended += audit_problem.empty() ? 1 : 0;
        }
        std::string text;
        {
            const std::lock_guard lock(mutex_);
            text = state_text(batch, appended);
        }
        const std::string state_problem =
            text.empty() || !keeper_.save_state ? std::string() : keeper_.save_state(text);
        const std::lock_guard lock(mutex_);
        conclude(std::move(batch), appended, audit_problem, state_problem, answers);
    }
    for (const Answer& answer : answers) {
        answer.done(answer.reply);
    }
}

void Control::store_all() {
    {
        const std::lock_guard lock(mutex_);
        unsaved_ = unsaved_ || evidence_unsaved_;
    }
    store();
}

/// Everything that waits to be written, without raises that were overtaken.
std::deque<Control::Decision> Control::take(std::vector<Answer>& answers) {
    std::deque<Decision> batch;
    for (Decision& decision : std::exchange(outbox_, {})) {
        if (waits(decision) || decision.raise == 0) {
            batch.push_back(std::move(decision));
        } else if (decision.done) {
            answers.push_back({std::move(decision.done), overtaken(decision.reply)});
        }
    }
    return batch;
}

/// Requires storing_.
std::string Control::append(Decision& decision) {
    AuditRecord& record = decision.record;
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
    record.hash = audit_hash_;
    return {};
}

/// The state as it will be with the raises of what is in the audit now. Requires storing_ as well;
/// empty where none may be written.
std::string Control::state_text(const std::deque<Decision>& batch, std::size_t appended) const {
    if (unreadable_) {
        return {};
    }
    const auto ready = [&](std::uint64_t raise) {
        for (std::size_t i = 0; i < appended; ++i) {
            if (raise != 0 && batch[i].raise == raise) {
                return true;
            }
        }
        return false;
    };
    Stored stored{
        .panic = (panic_.load() & by_command) != 0 && !ready(unpanic_),
        .audit_seq = audit_seq_,
        .audit_hash = audit_hash_,
        .routes = {}};
    for (const auto& [name, entry] : entries_) {
        const Position& position = entry->pending && ready(entry->pending->raise)
                                       ? entry->pending->wanted
                                       : entry->position;
        const bool anew = position.allowed() > entry->position.allowed();
        stored.routes[name] = {
            .position = position, .evidence = anew ? Evidence() : entry->evidence};
    }
    return encode(stored);
}

void Control::conclude(
    std::deque<Decision> batch,
    std::size_t appended,
    const std::string& audit_problem,
    const std::string& state_problem,
    std::vector<Answer>& answers
) {
    const bool well = audit_problem.empty() && state_problem.empty();
    const std::string problem =
        audit_problem + (audit_problem.empty() || state_problem.empty() ? "" : " ") + state_problem;
    if (!well) {
        not_before_ = now_ + pause_after_failure;
    }
    if (!well && problem != trouble_) {
        notices_.push_back("not stored yet: " + problem);
    }
    trouble_ = problem;
    unsaved_ = unsaved_ || !state_problem.empty();
    evidence_unsaved_ = evidence_unsaved_ && !state_problem.empty();
    saved_at_ = now_;
    std::deque<Decision> left;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        Decision& decision = batch[i];
        const bool written = i < appended;
        if (written) {
            recent_.push_back(decision.record);
        }
        if (decision.raise != 0) {
            conclude_raise(decision, written, written ? state_problem : problem);
        } else if (!written || !state_problem.empty()) {
            decision.reply.message += ". It holds now, but could not be stored: " + problem;
        }
        if (decision.done) {
            answers.push_back({std::exchange(decision.done, nullptr), decision.reply});
        }
        if (!written && decision.raise == 0) {
            left.push_back(std::move(decision));
        }
    }
    outbox_.insert(
        outbox_.begin(), std::make_move_iterator(left.begin()), std::make_move_iterator(left.end())
    );
    while (recent_.size() > recent_max) {
        recent_.pop_front();
    }
}

/// A raise holds where it could be stored and nothing has overtaken it.
void Control::conclude_raise(Decision& decision, bool written, const std::string& problem) {
    const bool waited = waits(decision);
    if (written && problem.empty() && waited) {
        if (decision.raise == unpanic_) {
            unpanic_ = 0;
            panic_.fetch_and(~unsigned{by_command}, std::memory_order_relaxed);
            publish_all();
        } else {
            Entry& entry = *entries_.at(decision.record.route);
            const bool known = unsaved_;
            settle(entry, Position(entry.pending->wanted));
            unsaved_ = known;  // just stored
        }
        return;
    }
    if (waited) {
        forget_raise(decision);
    }
    if (written) {
        not_in_effect(decision, waited ? "not saved: " : "overtaken: ");
    }
    decision.reply = waited ? not_saved(decision.reply, problem) : overtaken(decision.reply);
    if (const auto found = entries_.find(decision.record.route); found != entries_.end()) {
        decision.reply.revision = found->second->position.revision;
    }
}

/// The raise is still wanted.
bool Control::waits(const Decision& decision) const {
    if (decision.raise == 0) {
        return false;
    }
    const auto found = entries_.find(decision.record.route);
    return decision.raise == unpanic_ || (found != entries_.end() && found->second->pending &&
                                          found->second->pending->raise == decision.raise);
}

void Control::forget_raise(const Decision& decision) {
    if (decision.raise == unpanic_) {
        unpanic_ = 0;
    } else {
        entries_.at(decision.record.route)->pending.reset();
    }
}

/// The audit says that it was raised: it has to say that this did not happen, too.
void Control::not_in_effect(const Decision& decision, std::string_view why) {
    Decision undone{.record = decision.record, .reply = {}};
    undone.record.action = std::string(why) + decision.record.action;
    undone.record.at = now_;
    undone.record.verdict.clear();  // it was of the moment of the decision
    std::swap(undone.record.from, undone.record.to);
    outbox_.push_back(std::move(undone));
    unsaved_ = true;
}

bool Control::wants_storing() const {
    return (!outbox_.empty() || unsaved_) && now_ >= not_before_;
}

/// After every change, without mutex_.
void Control::stir() {
    {
        const std::lock_guard lock(mutex_);
        if (!wants_storing()) {
            return;
        }
    }
    if (keeper_.wake) {
        keeper_.wake();
    } else {
        store();
    }
}

}  // namespace veer::router::cutover
