#include "router/compare/ignored.hpp"

#include "router/cutover/evidence.hpp"

#include <catch2/catch_test_macros.hpp>

#include <initializer_list>

namespace veer::router::compare {

namespace {

const std::string shape = "SELECT id FROM docs ORDER BY e <=> ? LIMIT ?";
constexpr std::int64_t hour_us = std::int64_t{3600} * 1'000'000;

Mismatch comparison(std::initializer_list<Difference> classes) {
    Mismatch made;
    made.shape = shape;
    made.taken_us = 10;
    made.judgement.verdict = *classes.begin();
    for (const Difference difference : classes) {
        made.judgement.rows.at(static_cast<std::size_t>(difference)) = 2;
    }
    return made;
}

Ignored::Rule rule(Difference difference) {
    return {
        .difference = difference,
        .shape = cutover::shape_id(shape),
        .until_us = hour_us,
        .reason = "known",
        .by = "alice"};
}

Difference verdict_after(Ignored& ignored, std::initializer_list<Difference> classes) {
    Mismatch made = comparison(classes);
    ignored.apply(made);
    return made.judgement.verdict;
}

}  // namespace

TEST_CASE("an ignored class is taken out of a judgement, and the next worst is its verdict") {
    Ignored ignored;
    REQUIRE(ignored.add(rule(Difference::veer_missed), 0).empty());
    CHECK(verdict_after(ignored, {Difference::veer_missed}) == Difference::ignored);
    CHECK(
        verdict_after(ignored, {Difference::veer_missed, Difference::pg_missed}) ==
        Difference::pg_missed
    );
    CHECK(
        verdict_after(ignored, {Difference::missing_row, Difference::veer_missed}) ==
        Difference::missing_row
    );
    CHECK(
        verdict_after(ignored, {Difference::invisible_row, Difference::veer_missed}) ==
        Difference::invisible_row
    );
    CHECK(ignored.rules(0).front().hits == 4);
    CHECK(verdict_after(ignored, {Difference::in_flight}) == Difference::in_flight);
    CHECK(verdict_after(ignored, {Difference::none}) == Difference::none);
    CHECK(severity_of(Difference::ignored) == Severity::excluded);
}

TEST_CASE("other shapes, other classes, and what comes after its day are counted") {
    Ignored ignored;
    REQUIRE(ignored.add(rule(Difference::veer_missed), 0).empty());
    CHECK(verdict_after(ignored, {Difference::veer_short}) == Difference::veer_short);
    Mismatch other = comparison({Difference::veer_missed});
    other.shape = "SELECT 1";
    ignored.apply(other);
    CHECK(other.judgement.verdict == Difference::veer_missed);
    Mismatch late = comparison({Difference::veer_missed});
    late.taken_us = hour_us;
    ignored.apply(late);
    CHECK(late.judgement.verdict == Difference::veer_missed);
    CHECK(ignored.rules(hour_us).empty());
    CHECK(ignored.remove(Difference::veer_missed, cutover::shape_id(shape)));
    CHECK_FALSE(ignored.remove(Difference::veer_missed, cutover::shape_id(shape)));
    CHECK(verdict_after(ignored, {Difference::veer_missed}) == Difference::veer_missed);
}

TEST_CASE("what concerns rights, has no end or no reason cannot be ignored") {
    Ignored ignored;
    CHECK_FALSE(ignored.add(rule(Difference::invisible_row), 0).empty());
    CHECK_FALSE(ignored.add(rule(Difference::filter_violation), 0).empty());
    CHECK_FALSE(ignored.add(rule(Difference::in_flight), 0).empty());
    CHECK_FALSE(ignored.add(rule(Difference::none), 0).empty());
    CHECK_FALSE(ignored.add(rule(Difference::veer_missed), hour_us).empty());  // over
    Ignored::Rule without_end = rule(Difference::veer_missed);
    without_end.until_us = Ignored::lasting_max_us + 1;
    CHECK_FALSE(ignored.add(without_end, 0).empty());
    Ignored::Rule why = rule(Difference::veer_missed);
    why.reason.clear();
    CHECK_FALSE(ignored.add(why, 0).empty());
    CHECK(ignored.rules(0).empty());
}

TEST_CASE("ignored classes are bounded, and the same one is kept once") {
    Ignored ignored;
    for (std::uint64_t i = 0; i < Ignored::rules_max; ++i) {
        Ignored::Rule one = rule(Difference::veer_missed);
        one.shape = i;
        REQUIRE(ignored.add(one, 0).empty());
        REQUIRE(ignored.add(one, 0).empty());
    }
    CHECK(ignored.rules(0).size() == Ignored::rules_max);
    CHECK_FALSE(ignored.add(rule(Difference::veer_missed), 0).empty());
    CHECK(ignored.rules(hour_us).empty());
    Ignored::Rule next = rule(Difference::veer_missed);
    next.until_us = 3 * hour_us;
    CHECK(ignored.add(next, 2 * hour_us).empty());  // those that are over make room
}

}  // namespace veer::router::compare
