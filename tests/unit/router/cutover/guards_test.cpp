#include "router/cutover/guards.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::cutover {

namespace {

Time at(std::int64_t milliseconds) {
    return Time(Duration(milliseconds));
}

Guards fresh() {
    return Guards(config::Guards(), config::Gates());
}

/// The first trouble within `most` times the same comparison.
std::optional<Trouble> first_trouble(Guards& guards, const Comparison& comparison, int most) {
    for (int i = 0; i < most; ++i) {
        const auto troubles = guards.on_comparison(comparison);
        if (!troubles.empty()) {
            return troubles.front();
        }
    }
    return std::nullopt;
}

Gauges lag(int milliseconds) {
    return {.lag = Duration(milliseconds)};
}

}  // namespace

TEST_CASE(
    "a gauge trips after its time above, and clears after its time below a lower level", "[cutover]"
) {
    Guards guards = fresh();
    CHECK(guards.on_gauges(lag(1500), at(0)).empty());
    CHECK(guards.on_gauges(lag(1500), at(1900)).empty());
    CHECK(guards.on_gauges(lag(900), at(1950)).empty());  // a dip: the time starts again
    CHECK(guards.on_gauges(lag(1500), at(2000)).empty());
    CHECK_FALSE(guards.lagging());
    const auto troubles = guards.on_gauges(lag(1500), at(4000));
    REQUIRE(troubles.size() == 1);
    CHECK(troubles[0].guard == "lag");
    CHECK(troubles[0].action == Action::divert);
    CHECK(guards.lagging());
    guards.on_gauges(lag(500), at(5000));  // between the levels
    guards.on_gauges(lag(500), at(60'000));
    CHECK(guards.lagging());
    guards.on_gauges(lag(100), at(61'000));
    guards.on_gauges(lag(100), at(90'999));
    CHECK(guards.lagging());
    guards.on_gauges({}, at(200'000));  // unknown: changes nothing
    CHECK(guards.lagging());
    guards.on_gauges(lag(100), at(200'001));
    CHECK_FALSE(guards.lagging());
}

TEST_CASE(
    "one wrong answer keeps its shape away, three shapes or a breach of rights take all back",
    "[cutover]"
) {
    Guards guards = fresh();
    const auto wrong = [&](std::uint64_t shape, HardDifference difference) {
        const auto troubles = guards.on_comparison({.shape = shape, .hard = difference});
        REQUIRE(troubles.size() == 1);
        CHECK(troubles[0].needs_person);
        return troubles[0].action;
    };
    CHECK(wrong(1, HardDifference::payload) == Action::quarantine);
    CHECK(wrong(1, HardDifference::payload) == Action::quarantine);
    CHECK(wrong(2, HardDifference::unsorted) == Action::quarantine);
    CHECK(wrong(3, HardDifference::unsorted) == Action::rollback);
    guards.start_afresh();
    CHECK(wrong(4, HardDifference::invisible_row) == Action::rollback);
}

TEST_CASE("a fallen upper bound of recall is enough to roll back", "[cutover]") {
    Guards guards = fresh();
    const auto trouble = first_trouble(guards, {.recall_at_most = 0.8}, 100);
    REQUIRE(trouble);
    CHECK(trouble->guard == "recall_floor");
    CHECK(trouble->action == Action::rollback);
    CHECK_FALSE(first_trouble(guards, {.recall_at_most = 1.0}, 2000));
    CHECK_FALSE(first_trouble(guards, {.recall = 0.0, .excluded = true}, 2000));
}

TEST_CASE("worse than pgvector holds first and steps down then", "[cutover]") {
    Guards guards = fresh();
    const Comparison worse{.recall = 0.96, .postgres_recall = 1.0};
    const auto first = first_trouble(guards, worse, 5000);
    REQUIRE(first);
    CHECK(first->guard == "worse_than_pg");
    CHECK(first->action == Action::hold);
    CHECK(first_trouble(guards, worse, 5000)->action == Action::step_down);
    CHECK_FALSE(first_trouble(guards, {.recall = 0.97, .postgres_recall = 0.97}, 5000));
}

TEST_CASE("a guard that has stepped down before rolls back, until traffic is raised", "[cutover]") {
    Guards guards = fresh();
    const auto act = [&] {
        const auto troubles = guards.on_counts(0, 1000, 0);
        REQUIRE_FALSE(troubles.empty());
        return troubles.front().action;
    };
    CHECK(act() == Action::step_down);
    guards.begin_anew();
    CHECK(act() == Action::rollback);
    guards.start_afresh();
    CHECK(act() == Action::step_down);
}

TEST_CASE("slow is what is slower than nearly all of pgvector's own answers", "[cutover]") {
    Guards guards = fresh();
    CHECK_FALSE(first_trouble(guards, {.veer_ms = 1.0, .postgres_ms = 5.0}, 500));
    const auto trouble = first_trouble(guards, {.veer_ms = 9.0, .postgres_ms = 5.0}, 100);
    REQUIRE(trouble);
    CHECK(trouble->guard == "slow");
    CHECK(trouble->action == Action::step_down);
    Guards other = fresh();
    CHECK_FALSE(first_trouble(other, {.veer_ms = 9.0, .postgres_ms = 5.0, .cold = true}, 500));
}

TEST_CASE("a golden set that is answered badly takes all back, for as long as it is", "[cutover]") {
    Guards guards = fresh();
    const auto told = [&guards](std::optional<double> recall) {
        return guards.on_gauges({.golden_recall = recall}, Time());
    };
    CHECK(told(std::nullopt).empty());
    CHECK(told(0.96).empty());
    CHECK(guards.no_more().empty());
    for (int i = 0; i < 2; ++i) {
        const auto troubles = told(0.94);
        REQUIRE(troubles.size() == 1);
        CHECK(troubles[0].guard == "golden");
        CHECK(troubles[0].action == Action::rollback);
    }
    CHECK(told(0.97).size() == 1);  // above the floor, and not good enough to begin again
    CHECK(told(std::nullopt).size() == 1);
    CHECK(guards.no_more().find("golden set") != std::string::npos);
    CHECK(told(0.99).empty());
    CHECK(guards.no_more().empty());
}

TEST_CASE("fallbacks step down first and roll back then; few of many do neither", "[cutover]") {
    Guards guards = fresh();
    for (int i = 0; i < 100; ++i) {
        REQUIRE(guards.on_counts(999, 1, 0).empty());
    }
    const auto first = guards.on_counts(10, 10, 0);
    REQUIRE_FALSE(first.empty());
    CHECK(first[0].action == Action::step_down);
    const auto second = guards.on_counts(10, 10, 0);
    REQUIRE_FALSE(second.empty());
    CHECK(second[0].action == Action::rollback);
    const auto error = guards.on_counts(0, 0, 1);
    REQUIRE(error.size() == 1);
    CHECK(error[0].guard == "client_error");
    CHECK(error[0].needs_person);
}

}  // namespace veer::router::cutover
