#include "router/compare/pace.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::compare {

namespace {

constexpr std::int64_t slice = Pace::slice_ns;

}  // namespace

TEST_CASE("a quarter of a processor rests three times as long as it works", "[compare]") {
    const Pace pace(0.25, {.now_ns = 1000, .spent_ns = 50});
    CHECK(pace.rest_ns({.now_ns = 1000 + slice - 1, .spent_ns = 50 + slice - 1}) == 0);
    CHECK(pace.rest_ns({.now_ns = 1000 + slice, .spent_ns = 50 + slice}) == 3 * slice);
    CHECK(pace.rest_ns({.now_ns = 1000 + 2 * slice, .spent_ns = 50 + 2 * slice}) == 6 * slice);
}

TEST_CASE("a whole processor has no rest, however long it was made to wait", "[compare]") {
    const Pace pace(1, {});
    CHECK(pace.rest_ns({.now_ns = 100 * slice, .spent_ns = slice}) == 0);
    CHECK(Pace(8, {}).rest_ns({.now_ns = 100 * slice, .spent_ns = 100 * slice}) == 0);
}

TEST_CASE("who was made to wait rests the longer, within bounds", "[compare]") {
    const Pace pace(0.5, {});
    CHECK(pace.rest_ns({.now_ns = slice, .spent_ns = slice}) == slice);
    CHECK(
        pace.rest_ns({.now_ns = 3 * slice, .spent_ns = slice}) ==
        slice + 2 * Pace::rests_per_wait * slice
    );
    CHECK(pace.rest_ns({.now_ns = 3'600'000'000'000, .spent_ns = slice}) == Pace::rest_max_ns);
}

TEST_CASE("no share, and clocks that do not agree, end in a rest that ends", "[compare]") {
    CHECK(Pace(0, {}).rest_ns({.now_ns = slice, .spent_ns = slice}) <= Pace::rest_max_ns);
    CHECK(Pace(-1, {}).rest_ns({.now_ns = slice, .spent_ns = 50 * slice}) == Pace::rest_max_ns);
    CHECK(Pace(0.5, {}).rest_ns({.now_ns = 0, .spent_ns = slice}) == slice);
}

TEST_CASE("after a rest a new slice begins", "[compare]") {
    Pace pace(0.25, {});
    pace.begin({.now_ns = 10 * slice, .spent_ns = slice});
    CHECK(pace.rest_ns({.now_ns = 10 * slice + 10, .spent_ns = slice + 10}) == 0);
}

}  // namespace veer::router::compare
