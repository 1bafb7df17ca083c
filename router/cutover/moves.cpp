#include "router/cutover/moves.hpp"

#include "router/cutover/text.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router::cutover {

namespace {

constexpr Duration trial_min = std::chrono::seconds(1);
constexpr Duration trial_max = std::chrono::hours(24 * 7);
constexpr std::size_t quarantined_max = 64;

std::string percent(double share) {
    return number_to_text(share) + " %";
}

std::string seconds(Duration duration) {
    return std::to_string((duration.count() + 999) / 1000) + " s";
}

/// Works out one command; each member function answers one verb.
class Mover {
  public:
    Mover(
        const std::string& route,
        const Position& position,
        const Command& command,
        std::optional<std::uint64_t> expected,
        const Situation& situation
    )
        : route_(route),
          from_(position),
          command_(command),
          expected_(expected),
          situation_(situation) {}

    Planned move() const {
        if (!goes_back(from_, command_.verb)) {
            if (const auto refusal = outdated()) {
                return *refusal;
            }
        }
        switch (command_.verb) {
            case Verb::off:
                return back_to(State::off);
            case Verb::observe:
                return back_to(State::observe);
            case Verb::shadow:
                return back_to(State::shadow);
            case Verb::rollback:
            case Verb::rollback_all:
                return back_to(std::min(from_.state, State::shadow));
            case Verb::promote:
                return promote();
            case Verb::confirm:
                return confirm();
            case Verb::hold:
                return hold(true);
            case Verb::resume:
                return hold(false);
            case Verb::complete:
                return complete();
            case Verb::reopen:
                return reopen();
            case Verb::undo:
                return undo();
            case Verb::acknowledge:
                return acknowledge();
            case Verb::reshuffle:
                return reshuffle();
            case Verb::panic:
            case Verb::unpanic:
                break;
        }
        return refuse(refused::state, "This concerns no single route.", "");
    }

  private:
    Reply refuse(std::string_view code, std::string message, std::string next_step) const {
        return {
            .done = false,
            .code = std::string(code),
            .message = std::move(message),
            .next_step = std::move(next_step),
            .route = route_,
            .revision = from_.revision};
    }

    Reply nothing_to_do(std::string message) const {
        Reply reply = refuse("no_change", std::move(message), "");
        reply.done = true;
        return reply;
    }

    std::string typed(std::string_view verb) const { return std::string(verb) + ' ' + route_; }

    std::optional<Reply> outdated() const {
        if (situation_.unreadable) {
            return refuse(
                refused::state_file,
                "The stored state could not be read when veer started, so nothing goes forward.",
                "bring the state file back or move it away, as the log says; then send SIGHUP"
            );
        }
        if (expected_ && *expected_ != from_.revision) {
            return refuse(
                refused::revision,
                "The route is at revision " + std::to_string(from_.revision) + " (" +
                    std::string(to_string(from_.state)) + ' ' + percent(from_.desired) +
                    ", moved by " + std::string(to_string(from_.origin)) + "), not at " +
                    std::to_string(*expected_) + ": somebody was faster.",
                "look at it again, then repeat with revision " + std::to_string(from_.revision)
            );
        }
        return std::nullopt;
    }

    /// The position after a move of traffic.
    Position moved(State state, double desired) const {
        Position to = from_;
        to.before_state = from_.state;
        to.before_desired = from_.desired;
        to.state = state;
        to.desired = desired;
        to.since = situation_.now;
        to.origin = Origin::command;
        to.trial.reset();
        ++to.revision;
        return to;
    }

    Planned back_to(State state) const {
        if (from_.state == state && !from_.trial) {
            return nothing_to_do("It is " + std::string(to_string(state)) + " already.");
        }
        return moved(state, 0);
    }

    Planned promote() const {
        if (command_.percent && !(std::isfinite(*command_.percent) && *command_.percent >= 0 &&
                                  *command_.percent <= 100)) {
            return refuse(
                refused::bad_percent,
                "A share of the traffic is a number from 0 to 100.",
                typed("promote") + " --to 25"
            );
        }
        if (command_.lasting && (*command_.lasting < trial_min || *command_.lasting > trial_max)) {
            return refuse(
                refused::bad_duration,
                "A trial lasts from one second to one week.",
                typed("promote") + " --for 10m"
            );
        }
        if (from_.state == State::off || from_.state == State::complete) {
            return refuse(
                refused::state,
                "It is " + std::string(to_string(from_.state)) + ": no share can be set.",
                typed(from_.state == State::off ? "observe" : "reopen")
            );
        }
        const auto target = command_.percent ? command_.percent : default_step();
        if (!target) {
            return nothing_to_do("It is at the last step already.");
        }
        if (*target == from_.desired && *target == from_.allowed() && !command_.lasting) {
            return nothing_to_do("It is at " + percent(*target) + " already.");
        }
        if (from_.trial && command_.lasting) {
            return trial_is_running();
        }
        return to_share(*target);
    }

    /// After a trip the way starts at half of what it was; where nothing was, at the first step.
    double re_entry() const {
        return from_.good > 0 ? from_.good / 2 : situation_.policy->steps.front();
    }

    std::optional<double> default_step() const {
        if (from_.trip) {
            return re_entry();
        }
        return step_above(situation_.policy->steps, from_.allowed());
    }

    Planned to_share(double target) const {
        if (target > from_.allowed()) {
            if (const auto refusal = no_raise(target)) {
                return *refusal;
            }
        }
        const State below = from_.state == State::observe ? State::observe : State::shadow;
        Position to = moved(state_of(target, below), target);
        if (target > from_.allowed()) {
            to.ceiling = 100;
            to.trip.reset();
            if (from_.trip && situation_.now - from_.trip->at > std::chrono::hours(24)) {
                to.cooldown = Duration(0);
            }
        }
        if (command_.lasting) {
            to.trial = Trial{
                .started = situation_.now,
                .until = situation_.now + *command_.lasting,
                .back_state = from_.state,
                .back_percent = from_.desired};
        }
        return to;
    }

    Reply trial_is_running() const {
        return refuse(
            refused::trial,
            "A trial is running for another " + seconds(from_.trial->until - situation_.now) + '.',
            typed("confirm") + ", or " + typed("rollback")
        );
    }

    std::optional<Reply> no_raise(double target) const {
        if (from_.held) {
            return refuse(refused::held, "It is held.", typed("resume"));
        }
        if (situation_.panic) {
            return refuse(refused::panic, "Panic is on: Postgres answers everything.", "unpanic");
        }
        if (from_.trial) {
            return trial_is_running();
        }
        if (!situation_.not_ready.empty()) {
            return refuse(refused::not_live, situation_.not_ready, "wait until it is live");
        }
        if (auto refusal = not_over(target)) {
            return refusal;
        }
        return situation_.policy->gated ? no_evidence() : std::nullopt;
    }

    /// A guard took the traffic back, and that is not over.
    std::optional<Reply> not_over(double target) const {
        if (!from_.trip) {
            return std::nullopt;
        }
        const Trip& trip = *from_.trip;
        if (!trip.acknowledged) {
            return refuse(
                refused::tripped,
                "The guard " + trip.guard + " found something that a person has to look at.",
                typed("acknowledge")
            );
        }
        if (situation_.now < trip.cool_until) {
            return refuse(
                refused::cooldown,
                "The guard " + trip.guard + " took the traffic back; cooling down for another " +
                    seconds(trip.cool_until - situation_.now) + '.',
                "wait, then " + typed("promote")
            );
        }
        if (target > re_entry()) {
            return refuse(
                refused::tripped,
                "After a rollback by a guard the way starts at half of what it was: at most " +
                    percent(re_entry()) + '.',
                typed("promote") + " --to " + number_to_text(re_entry())
            );
        }
        return std::nullopt;
    }

    std::optional<Reply> no_evidence() const {
        const Duration stayed = situation_.now - from_.since;
        if (from_.state >= State::canary && stayed < situation_.policy->step_min) {
            return refuse(
                refused::too_early,
                "Each step lasts for " + seconds(situation_.policy->step_min) + " at least.",
                "again in " + seconds(situation_.policy->step_min - stayed)
            );
        }
        if (situation_.verdict == Verdict::fail) {
            return refuse(
                refused::gates,
                "The evidence is against it: " + situation_.obstacle + '.',
                typed("report")
            );
        }
        if (situation_.verdict == Verdict::inconclusive) {
            return refuse(
                refused::evidence,
                "Not enough evidence yet: " + situation_.obstacle + '.',
                from_.state == State::observe ? typed("shadow") : "wait for more comparisons"
            );
        }
        return std::nullopt;
    }

    Planned confirm() const {
        if (!from_.trial) {
            return refuse(refused::trial, "No trial is running.", typed("promote") + " --for 10m");
        }
        Position to = from_;
        to.trial.reset();
        to.origin = Origin::command;
        ++to.revision;
        return to;
    }

    Planned hold(bool held) const {
        if (from_.held == held) {
            return nothing_to_do(held ? "It is held already." : "It is not held.");
        }
        Position to = from_;
        to.held = held;
        ++to.revision;
        return to;
    }

    Planned complete() const {
        if (from_.state != State::full || from_.allowed() < 100 || from_.trial) {
            return refuse(
                refused::state,
                "Only a route that is full, and not on trial, can be completed.",
                typed("promote") + " --to 100"
            );
        }
        if (command_.typed != route_) {
            return refuse(
                refused::not_typed,
                "After this Postgres need not be able to answer: a rollback would then take the "
                "time of building its index again. The route's name has to be typed.",
                typed("complete") + " --name '" + route_ + '\''
            );
        }
        if (const auto refusal = situation_.policy->gated ? no_evidence() : std::nullopt) {
            return *refusal;
        }
        return moved(State::complete, 100);
    }

    Planned reopen() const {
        if (from_.state != State::complete) {
            return refuse(refused::state, "It is not complete.", "");
        }
        return moved(State::full, 100);
    }

    Planned undo() const {
        if (from_.before_state == from_.state && from_.before_desired == from_.desired) {
            return nothing_to_do("There is no move to undo.");
        }
        const bool completed = from_.before_state == State::complete;
        if (completed && from_.state == State::full) {
            return complete();
        }
        if (from_.before_desired > 0) {
            Planned to = to_share(from_.before_desired);
            auto* const position = std::get_if<Position>(&to);
            if (position != nullptr && !completed) {  // to complete is a step of its own
                position->state = from_.before_state;
            }
            return to;
        }
        return moved(from_.before_state, 0);
    }

    Planned acknowledge() const {
        if (from_.quarantined.empty() && (!from_.trip || from_.trip->acknowledged)) {
            return nothing_to_do("No guard waits for a person.");
        }
        Position to = from_;
        to.quarantined.clear();
        if (to.trip &&
            to.good <= 0) {  // it has taken no share: sessions may choose the index again
            to.trip.reset();
            to.ceiling = 100;
        } else if (to.trip) {
            to.trip->acknowledged = true;
        }
        ++to.revision;
        return to;
    }

    Planned reshuffle() const {
        Position to = from_;
        ++to.reshuffles;
        ++to.revision;
        return to;
    }

    const std::string& route_;
    const Position& from_;
    const Command& command_;
    std::optional<std::uint64_t> expected_;
    const Situation& situation_;
};

Position rolled_back(
    const Position& from, const Trouble& trouble, const config::Guards& guards, Time now
) {
    Position to = from;
    to.good = from.trip ? std::max(from.good, from.allowed()) : from.allowed();
    to.ceiling = 0;
    to.trial.reset();
    to.origin = Origin::guard;
    to.cooldown = std::min(
        guards.cooldown_max, from.cooldown.count() == 0 ? guards.cooldown : 2 * from.cooldown
    );
    to.trip = Trip{
        .guard = std::string(trouble.guard),
        .at = now,
        .cool_until = now + to.cooldown,
        .acknowledged = !trouble.needs_person};
    ++to.revision;
    return to;
}

}  // namespace

bool goes_back(const Position& from, Verb verb) {
    const bool opens = from.state == State::off && (verb == Verb::observe || verb == Verb::shadow);
    return goes_back(verb) && !opens;
}

Planned plan(
    const std::string& route,
    const Position& position,
    const Command& command,
    std::optional<std::uint64_t> expected_revision,
    const Situation& situation
) {
    return Mover(route, position, command, expected_revision, situation).move();
}

std::optional<Position> after_trouble(
    const Position& position,
    const Trouble& trouble,
    const config::Cutover& policy,
    const config::Guards& guards,
    Time now
) {
    Position to = position;
    switch (trouble.action) {
        case Action::shed:
        case Action::divert:
            return std::nullopt;
        case Action::hold:
            if (position.held) {
                return std::nullopt;
            }
            to.held = true;
            ++to.revision;
            return to;
        case Action::quarantine:
            if (std::find(
                    position.quarantined.begin(), position.quarantined.end(), trouble.shape
                ) != position.quarantined.end()) {
                return std::nullopt;
            }
            if (position.quarantined.size() < quarantined_max) {
                to.quarantined.push_back(trouble.shape);
                ++to.revision;
                return to;
            }
            break;
        case Action::step_down: {
            const double lower = step_below(policy.steps, position.allowed());
            if (position.allowed() <= 0) {
                return std::nullopt;
            }
            if (lower > 0) {
                to.ceiling = lower;  // a trial goes on: its end may be lower still
                to.origin = Origin::guard;
                ++to.revision;
                return to;
            }
            break;
        }
        case Action::rollback:
            break;
    }
    // Without a share the evidence is enough to keep a route from going forward. But sessions may
    // choose the index all the same, and a wrong answer is wrong for them, too.
    const bool closed = position.state == State::off ||
                        (position.trip && position.ceiling <= 0 && !position.trip->acknowledged);
    if (position.allowed() <= 0 && (closed || !trouble.needs_person)) {
        return std::nullopt;
    }
    return rolled_back(position, trouble, guards, now);
}

bool came_down(const Position& position) {
    return position.desired < position.before_desired;
}

std::optional<Position> after_file(const Position& position, double file_percent, Time now) {
    if (file_percent == position.file_percent) {
        return std::nullopt;
    }
    const bool never_commanded = position.origin == Origin::file;
    Position to = position;
    to.file_percent = file_percent;
    to.before_state = position.state;
    to.before_desired = position.desired;
    to.state = state_of(
        file_percent,
        never_commanded || position.state < State::shadow ? State::observe : State::shadow
    );
    to.desired = file_percent;
    to.origin = Origin::file;
    to.since = now;
    to.trial.reset();
    ++to.revision;
    return to;
}

std::optional<Position> after_time(const Position& position, Time now) {
    if (!position.trial || (now < position.trial->until && now >= position.trial->started)) {
        return std::nullopt;
    }
    Position to = position;
    const bool raises = position.trial->back_percent > position.desired;
    if (!raises || (!position.held && !position.trip && position.ceiling >= 100)) {
        to.before_state = position.state;
        to.before_desired = position.desired;
        to.state = position.trial->back_state;
        to.desired = position.trial->back_percent;
    }
    to.origin = Origin::trial;
    to.since = now;
    to.trial.reset();
    ++to.revision;
    return to;
}

}  // namespace veer::router::cutover
