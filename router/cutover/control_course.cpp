#include "router/cutover/control_entry.hpp"
#include "router/cutover/text.hpp"

#include <algorithm>
#include <utility>

// What moves by itself: guards, trials, automatic steps.

namespace veer::router::cutover {

namespace {

constexpr Duration evidence_saved_every = std::chrono::seconds(30);
constexpr std::size_t notices_max = 1000;

}  // namespace

void Control::note(const std::string& route, const Comparison& comparison, Time now) {
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        if (Entry* const entry = find(route)) {
            note(*entry, comparison);
        }
    }
    stir();
}

void Control::note(Entry& entry, const Comparison& comparison) {
    Evidence& evidence = entry.evidence;
    using Rounding = Histogram::Rounding;
    ++evidence.compared;
    evidence.excluded += comparison.excluded ? 1 : 0;
    evidence.hard += comparison.hard ? 1 : 0;
    evidence.first = evidence.first.value_or(now_);
    evidence.last = now_;
    if (const auto slow = entry.guards.slow(comparison)) {
        evidence.in_time.add(*slow ? 0 : Histogram::bins - 1);
    }
    if (!comparison.excluded && comparison.recall) {
        evidence.recall.add(Histogram::bin_of(*comparison.recall, Rounding::down));
        if (comparison.postgres_recall) {
            const double advantage = (*comparison.recall - *comparison.postgres_recall + 1) / 2;
            evidence.advantage.add(Histogram::bin_of(advantage, Rounding::down));
        }
    }
    evidence_unsaved_ = true;
    Comparison judged = comparison;
    if (entry.position.state == State::complete) {
        judged.postgres_recall.reset();  // it need not have an index any more: exact, and slow
    }
    judge(entry, entry.guards.on_comparison(judged));
}

void Control::note(const std::string& route, const Gauges& gauges, Time now) {
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        if (Entry* const entry = find(route)) {
            judge(*entry, entry->guards.on_gauges(gauges, now_));
            publish(*entry);
        }
    }
    stir();
}

void Control::set_panic_file(bool there, Time now) {
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        const bool known = (panic_.load() & by_file) != 0;
        if (known == there) {
            return;
        }
        if (there) {
            panic_.fetch_or(by_file, std::memory_order_relaxed);
        } else {
            panic_.fetch_and(~unsigned{by_file}, std::memory_order_relaxed);
        }
        publish_all();
        Decision decision;
        decision.record.at = now_;
        decision.record.actor = "somebody";
        decision.record.via = "file";
        decision.record.action = there ? "panic" : "unpanic";
        decision.record.reason = there ? "the panic file has appeared" : "the panic file is gone";
        notices_.push_back(decision.record.action + ": " + decision.record.reason);
        Done nobody;
        keep(std::move(decision), nobody);
    }
    stir();
}

void Control::make_stale(const std::string& route, const std::string& why, Time now) {
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        Entry* const entry = find(route);
        if (entry == nullptr) {
            return;
        }
        entry->guards.start_afresh();
        if (policy_.cutover.gated) {
            entry->pending.reset();  // it rests on what counts no more
        }
        if (entry->evidence.compared == 0) {
            return;
        }
        entry->evidence = Evidence();
        unsaved_ = true;
        notices_.push_back(route + ": the evidence so far counts no more: " + why);
    }
    stir();
}

void Control::judge(Entry& entry, const std::vector<Trouble>& troubles) {
    entry.guard_times.look(entry.guards.describe(), now_);
    for (const Trouble& trouble : troubles) {
        if (trouble.action >= Action::hold) {
            entry.pending.reset();  // what a raise rested on, while it is being stored
        }
        const auto wanted =
            after_trouble(entry.position, trouble, policy_.cutover, policy_.guards, now_);
        if (wanted) {
            move_by_itself(
                entry,
                *wanted,
                trouble.guard,
                std::string(to_string(trouble.action)) + ": " + trouble.why
            );
        } else if (trouble.action <= Action::divert) {
            notices_.push_back(
                entry.name + ": guard " + std::string(trouble.guard) + ", " +
                std::string(to_string(trouble.action)) + ": " + trouble.why
            );
        }
    }
}

void Control::move_by_itself(
    Entry& entry, Position wanted, std::string_view actor, const std::string& reason
) {
    const bool back = wanted.allowed() <= entry.position.allowed();
    const bool stored_first = !back && wanted.origin != Origin::file;  // the file is stored already
    if (stored_first && (entry.pending || full() || now_ < not_before_)) {
        return;  // it comes again with the next tick
    }
    wanted.revision += entry.pending ? 1 : 0;
    Decision decision;
    decision.record = record(
        entry, wanted, {.name = std::string(actor), .via = std::string(to_string(wanted.origin))}
    );
    decision.record.action = back ? "lower" : "raise";
    decision.record.reason = reason;
    notices_.push_back(
        entry.name + ": " + decision.record.from + " -> " + decision.record.to + " % by " +
        decision.record.actor + ", " + reason
    );
    if (stored_first) {
        decision.raise = ++raises_;
        entry.pending = Entry::Pending{.raise = decision.raise, .wanted = std::move(wanted)};
    } else {
        settle(entry, std::move(wanted));
    }
    Done nobody;
    keep(std::move(decision), nobody);
}

void Control::tick(Time now) {
    {
        const std::lock_guard lock(mutex_);
        advance_clock(now);
        for (auto& [name, entry] : entries_) {
            if (entry->adopted) {
                advance(*entry);
            }
        }
        rules_->note_hits(now_);
        unsaved_ = unsaved_ || (evidence_unsaved_ && now_ - saved_at_ >= evidence_saved_every);
        while (notices_.size() > notices_max) {
            notices_.erase(notices_.begin());
        }
    }
    stir();
}

void Control::advance(Entry& entry) {
    const auto fresh = [](const std::atomic<std::uint64_t>& counter, std::uint64_t& seen) {
        const std::uint64_t now = counter.load(std::memory_order_relaxed);
        return now - std::exchange(seen, now);
    };
    Traffic& traffic = *entry.traffic;
    const std::uint64_t veer = fresh(traffic.veer, entry.veer_seen);
    const std::uint64_t fallbacks = fresh(traffic.fallbacks, entry.fallbacks_seen);
    const std::uint64_t errors = fresh(traffic.client_errors, entry.errors_seen);
    judge(entry, entry.guards.on_counts(veer, fallbacks, errors));
    if (auto wanted = after_time(entry.position, now_)) {
        move_by_itself(
            entry, *std::move(wanted), "trial", "its time was over, and nobody confirmed it"
        );
    }
    step_by_itself(entry);
    publish(entry);
}

void Control::step_by_itself(Entry& entry) {
    if (!policy_.cutover.automatic || entry.position.state < State::shadow || entry.position.trip ||
        entry.position.ceiling < 100 || entry.drill || came_down(entry.position)) {
        return;
    }
    config::Cutover gated = policy_.cutover;
    gated.gated = true;  // nobody looks on
    Situation judged = situation(entry);
    judged.policy = &gated;
    const Command step{.verb = Verb::promote, .route = entry.name};
    Planned planned = plan(entry.name, entry.position, step, std::nullopt, judged);
    if (auto* wanted = std::get_if<Position>(&planned)) {
        wanted->origin = Origin::automation;
        move_by_itself(entry, std::move(*wanted), "automatic step", "the gates are open");
    }
}

Cause Control::cause(const Entry& entry) const {
    if (panic()) {
        return Cause::panic;
    }
    if (unreadable_) {
        return Cause::unreadable;
    }
    if (entry.position.state == State::off) {
        return Cause::off;
    }
    if (entry.position.trip && entry.position.ceiling <= 0) {
        return Cause::tripped;
    }
    if (entry.guards.lagging()) {
        return Cause::lag;
    }
    if (entry.drill && entry.drill->rehearsal.closed()) {
        return Cause::drill;
    }
    return entry.position.ceiling < entry.position.desired ? Cause::stepped_down : Cause::none;
}

void Control::publish(Entry& entry) const {
    const Cause why = cause(entry);
    const bool open = why == Cause::none || why == Cause::stepped_down;
    entry.traffic->set(entry.position.state, open ? entry.position.allowed() : 0, why);
    entry.traffic->set_shed(entry.guards.shedding());
    entry.traffic->set_quarantined(entry.position.quarantined);
}

void Control::publish_all() {
    for (auto& [name, entry] : entries_) {
        publish(*entry);
    }
}

std::string Control::not_ready(const Entry& entry) const {
    if (!entry.live) {
        return "The index is not live: it is being built, or does not follow Postgres.";
    }
    return entry.guards.no_more();
}

Situation Control::situation(const Entry& entry) const {
    const auto judged =
        cutover::gates(entry.evidence, policy_.gates, policy_.cutover.evidence_age_max, now_);
    return {
        .now = now_,
        .policy = &policy_.cutover,
        .panic = panic(),
        .unreadable = unreadable_,
        .not_ready = not_ready(entry),
        .verdict = verdict(judged),
        .obstacle = obstacle(judged)};
}

}  // namespace veer::router::cutover
