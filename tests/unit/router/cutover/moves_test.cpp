#include "router/cutover/moves.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>

namespace veer::router::cutover {

namespace {

const std::string name = "public.documents.embedding <=>";

Time at(std::int64_t seconds) {
    return Time(std::chrono::seconds(seconds));
}

/// A position and what surrounds it, with the gates open.
struct Stage {
    Position position = configured(0, at(0));
    config::Cutover policy;
    config::Guards guards;
    Situation situation{.now = at(1000), .verdict = Verdict::pass};

    Planned planned(const Command& command, std::optional<std::uint64_t> expected = std::nullopt) {
        situation.policy = &policy;
        return plan(name, position, command, expected, situation);
    }

    /// "ok", or the code of the refusal; a move is made.
    std::string made(const Command& command, std::optional<std::uint64_t> expected = std::nullopt) {
        const Planned result = planned(command, expected);
        if (const auto* reply = std::get_if<Reply>(&result)) {
            CHECK((reply->done || !reply->next_step.empty()));
            CHECK_FALSE(reply->message.empty());
            return reply->code;
        }
        CHECK(std::get<Position>(result).revision > position.revision);
        position = std::get<Position>(result);
        return "ok";
    }

    std::string to(double percent) { return made({.verb = Verb::promote, .percent = percent}); }

    /// At `from` for an hour, then on trial.
    void try_out(double from, double to_percent, std::chrono::minutes lasting) {
        CHECK(to(from) == "ok");
        situation.now += std::chrono::hours(1);
        CHECK(made({.verb = Verb::promote, .percent = to_percent, .lasting = lasting}) == "ok");
    }

    void trip(std::string_view guard, bool needs_person = false) {
        const auto after = after_trouble(
            position,
            {.guard = guard, .action = Action::rollback, .why = "", .needs_person = needs_person},
            policy,
            guards,
            situation.now
        );
        REQUIRE(after);
        position = *after;
    }
};

}  // namespace

TEST_CASE("the way up goes by steps, the way down is one word", "[cutover]") {
    Stage stage;
    CHECK(stage.made({.verb = Verb::shadow}) == "ok");
    for (const double step : {1.0, 5.0, 25.0, 50.0, 100.0}) {
        CHECK(stage.made({.verb = Verb::promote}) == "ok");
        CHECK(stage.position.desired == step);
        stage.situation.now += std::chrono::hours(1);
    }
    CHECK(stage.position.state == State::full);
    CHECK(stage.made({.verb = Verb::promote}) == "no_change");
    CHECK(stage.made({.verb = Verb::rollback}) == "ok");
    CHECK(stage.position.state == State::shadow);
    CHECK(stage.position.desired == 0);
    CHECK(stage.made({.verb = Verb::rollback}) == "no_change");
    CHECK(stage.made({.verb = Verb::undo}) == "ok");
    CHECK(stage.position.desired == 100);
}

TEST_CASE("shares outside 0 to 100 are refused", "[cutover]") {
    Stage stage;
    for (const double bad :
         {-1.0,
          100.001,
          1e9,
          std::numeric_limits<double>::quiet_NaN(),
          std::numeric_limits<double>::infinity()}) {
        CHECK(stage.to(bad) == refused::bad_percent);
    }
    CHECK(stage.to(0.001) == "ok");
    CHECK(stage.made({.verb = Verb::promote, .lasting = Duration(0)}) == refused::bad_duration);
}

TEST_CASE("a raise needs the revision that the operator saw, a rollback does not", "[cutover]") {
    Stage stage;
    const std::uint64_t seen = stage.position.revision;
    CHECK(stage.made({.verb = Verb::promote, .percent = 5}, seen) == "ok");
    stage.situation.now += std::chrono::hours(1);
    CHECK(stage.made({.verb = Verb::promote, .percent = 5}, seen) == refused::revision);
    CHECK(stage.made({.verb = Verb::resume}, seen) == refused::revision);
    CHECK(stage.made({.verb = Verb::rollback}, seen) == "ok");
}

TEST_CASE("a raise needs evidence, time, and an index; a lowering needs nothing", "[cutover]") {
    Stage stage;
    stage.situation.verdict = Verdict::inconclusive;
    CHECK(stage.to(5) == refused::evidence);
    stage.situation.verdict = Verdict::fail;
    CHECK(stage.to(5) == refused::gates);
    stage.policy.gated = false;
    CHECK(stage.to(5) == "ok");
    stage.policy.gated = true;
    stage.situation.verdict = Verdict::pass;
    CHECK(stage.to(25) == refused::too_early);
    stage.situation.now += std::chrono::minutes(10);
    stage.situation.not_ready = "The index is not live.";
    CHECK(stage.to(25) == refused::not_live);
    CHECK(stage.to(1) == "ok");
    stage.situation.not_ready.clear();
    stage.situation.now += std::chrono::minutes(10);
    CHECK(stage.made({.verb = Verb::hold}) == "ok");
    CHECK(stage.to(25) == refused::held);
    CHECK(stage.made({.verb = Verb::resume}) == "ok");
    stage.situation.panic = true;
    CHECK(stage.to(25) == refused::panic);
    stage.situation.panic = false;
    stage.situation.unreadable = true;
    CHECK(stage.to(25) == refused::state_file);
    CHECK(stage.made({.verb = Verb::off}) == "ok");
    stage.situation.unreadable = false;
    CHECK(stage.to(25) == refused::state);
}

TEST_CASE("a trial goes back by itself unless it is confirmed", "[cutover]") {
    Stage stage;
    stage.try_out(5, 50, std::chrono::minutes(10));
    CHECK(stage.position.desired == 50);
    CHECK(stage.to(100) == refused::trial);
    CHECK_FALSE(after_time(stage.position, stage.situation.now + std::chrono::seconds(599)));
    const auto after = after_time(stage.position, stage.situation.now + std::chrono::minutes(10));
    REQUIRE(after);
    CHECK(after->desired == 5);
    CHECK(after->state == State::canary);
    CHECK(after->origin == Origin::trial);
    // A clock that went back may have gone back by anything.
    CHECK(after_time(stage.position, stage.situation.now - std::chrono::seconds(1))->desired == 5);
    CHECK(stage.made({.verb = Verb::confirm}) == "ok");
    CHECK_FALSE(after_time(stage.position, stage.situation.now + std::chrono::hours(99)));
    CHECK(stage.made({.verb = Verb::confirm}) == refused::trial);
}

TEST_CASE("a trial that a guard has lowered still goes back", "[cutover]") {
    Stage stage;
    stage.try_out(1, 50, std::chrono::minutes(10));
    const Time began = stage.situation.now;
    const Trouble slow{.guard = "slow", .action = Action::step_down, .why = ""};
    const auto lower = after_trouble(stage.position, slow, stage.policy, stage.guards, began);
    REQUIRE(lower);
    CHECK(lower->allowed() == 25);
    const auto after = after_time(*lower, began + std::chrono::minutes(10));
    REQUIRE(after);
    CHECK(after->allowed() == 1);
}

TEST_CASE("the end of a trial raises nothing that a guard holds", "[cutover]") {
    Stage stage;
    stage.try_out(50, 5, std::chrono::hours(1));
    const Time end = stage.situation.now + std::chrono::hours(1);
    CHECK(after_time(stage.position, end)->desired == 50);
    const Trouble worse{.guard = "worse_than_pg", .action = Action::hold, .why = ""};
    const auto held =
        after_trouble(stage.position, worse, stage.policy, stage.guards, stage.situation.now);
    REQUIRE(held);
    const auto after = after_time(*held, end);
    REQUIRE(after);
    CHECK(after->desired == 5);
    CHECK_FALSE(after->trial);
    CHECK(came_down(*after));
}

TEST_CASE("what is complete is not undone into, it is typed", "[cutover]") {
    Stage stage;
    CHECK(stage.to(100) == "ok");
    stage.situation.now += std::chrono::hours(1);
    CHECK(stage.made({.verb = Verb::complete, .typed = name}) == "ok");
    CHECK(stage.made({.verb = Verb::reopen}) == "ok");
    CHECK(stage.made({.verb = Verb::undo}) == refused::not_typed);
    CHECK(stage.position.state == State::full);
    stage.situation.now += std::chrono::hours(1);
    CHECK(stage.made({.verb = Verb::complete, .typed = name}) == "ok");
    CHECK(stage.made({.verb = Verb::rollback}) == "ok");
    CHECK(stage.made({.verb = Verb::undo}) == "ok");
    CHECK(stage.position.state == State::full);
    CHECK(stage.position.desired == 100);
}

TEST_CASE("after a guard's rollback the way up cools down and starts at half", "[cutover]") {
    Stage stage;
    CHECK(stage.to(50) == "ok");
    stage.trip("recall_floor");
    CHECK(stage.position.desired == 50);
    CHECK(stage.position.allowed() == 0);
    CHECK(stage.to(25) == refused::cooldown);
    stage.situation.now += std::chrono::minutes(15);
    CHECK(stage.to(50) == refused::tripped);
    CHECK(stage.made({.verb = Verb::promote}) == "ok");
    CHECK(stage.position.desired == 25);
    CHECK(stage.position.allowed() == 25);
    stage.trip("recall_floor");
    CHECK(stage.position.cooldown == std::chrono::minutes(30));
}

TEST_CASE("what a hard guard found needs a person", "[cutover]") {
    Stage stage;
    CHECK(stage.to(50) == "ok");
    stage.trip("client_error", true);
    stage.situation.now += std::chrono::hours(1);
    CHECK(stage.to(5) == refused::tripped);
    CHECK(stage.made({.verb = Verb::acknowledge}) == "ok");
    CHECK(stage.to(5) == "ok");
    CHECK(stage.made({.verb = Verb::acknowledge}) == "no_change");
}

TEST_CASE(
    "a wrong answer closes a route without a share, too, until a person says so", "[cutover]"
) {
    Stage stage;
    CHECK(stage.made({.verb = Verb::shadow}) == "ok");
    const Trouble soft{.guard = "recall_floor", .action = Action::rollback, .why = ""};
    CHECK_FALSE(after_trouble(stage.position, soft, stage.policy, stage.guards, stage.situation.now)
    );
    stage.trip("correctness", true);
    CHECK(stage.position.ceiling == 0);
    CHECK(stage.position.state == State::shadow);
    const Trouble again{
        .guard = "correctness", .action = Action::rollback, .why = "", .needs_person = true};
    CHECK_FALSE(
        after_trouble(stage.position, again, stage.policy, stage.guards, stage.situation.now)
    );
    stage.situation.now += std::chrono::hours(1);
    CHECK(stage.to(1) == refused::tripped);
    CHECK(stage.made({.verb = Verb::acknowledge}) == "ok");
    CHECK_FALSE(stage.position.trip);
    CHECK(stage.to(1) == "ok");
    CHECK(stage.position.allowed() == 1);
}

TEST_CASE("a wrong answer after another guard's trip needs a person as well", "[cutover]") {
    Stage stage;
    CHECK(stage.to(50) == "ok");
    stage.trip("recall_floor");
    stage.trip("correctness", true);
    CHECK(stage.position.good == 50);
    CHECK_FALSE(stage.position.trip->acknowledged);
}

TEST_CASE("a step down ends at a rollback; nothing is taken back twice", "[cutover]") {
    Stage stage;
    CHECK(stage.to(25) == "ok");
    const Trouble slow{.guard = "slow", .action = Action::step_down, .why = ""};
    for (const double expected : {5.0, 1.0, 0.0}) {
        const auto after =
            after_trouble(stage.position, slow, stage.policy, stage.guards, stage.situation.now);
        REQUIRE(after);
        stage.position = *after;
        CHECK(stage.position.allowed() == expected);
        CHECK(stage.position.desired == 25);
    }
    CHECK(stage.position.trip.has_value());
    CHECK_FALSE(after_trouble(stage.position, slow, stage.policy, stage.guards, stage.situation.now)
    );
}

TEST_CASE("only a full route is completed, and its name has to be typed", "[cutover]") {
    Stage stage;
    CHECK(stage.to(50) == "ok");
    stage.situation.now += std::chrono::hours(1);
    CHECK(stage.made({.verb = Verb::complete, .typed = name}) == refused::state);
    CHECK(stage.to(100) == "ok");
    stage.situation.now += std::chrono::hours(1);
    CHECK(stage.made({.verb = Verb::complete, .typed = "documents"}) == refused::not_typed);
    CHECK(stage.made({.verb = Verb::complete, .typed = name}) == "ok");
    CHECK(stage.to(50) == refused::state);
    CHECK(stage.made({.verb = Verb::reopen}) == "ok");
    CHECK(stage.position.state == State::full);
}

TEST_CASE(
    "a percentage in the file holds until a command, and again when it is changed", "[cutover]"
) {
    Position position = configured(0, at(0));
    CHECK_FALSE(after_file(position, 0, at(1)));
    position = *after_file(position, 25, at(1));
    CHECK(position.state == State::canary);
    CHECK(position.origin == Origin::file);
    CHECK(after_file(position, 0, at(2))->state == State::observe);
    position.origin = Origin::command;
    position.desired = 50;
    CHECK_FALSE(after_file(position, 25, at(3)));
    CHECK(after_file(position, 100, at(3))->state == State::full);
    CHECK(after_file(position, 0, at(3))->state == State::shadow);
}

}  // namespace veer::router::cutover
