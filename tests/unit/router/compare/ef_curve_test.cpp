#include "router/compare/ef_curve.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace veer::router::compare {

namespace {

EfPoint point(std::size_t ef, double recall, std::size_t searches = 100) {
    EfPoint made{.ef = ef};
    for (std::size_t i = 0; i < searches; ++i) {
        made.add(recall, 0.002);
    }
    return made;
}

}  // namespace

TEST_CASE("the least ef is the first from which on recall holds", "[compare]") {
    const std::vector<EfPoint> curve{
        point(10, 0.5), point(20, 0.99), point(40, 0.9), point(80, 0.99), point(100, 1)};
    CHECK(least_ef(curve, 0.95) == 80);  // 40 falls below again
    CHECK(least_ef(curve, 1) == 100);
    CHECK(least_ef(curve, 0.4) == 10);
    CHECK_FALSE(least_ef(std::vector<EfPoint>{point(10, 0.5)}, 0.9));
    CHECK_FALSE(least_ef({}, 0));
}

TEST_CASE("few searches, and uneven ones, prove less than their mean", "[compare]") {
    CHECK_FALSE(least_ef(std::vector<EfPoint>{point(10, 1, tuned_searches_min - 1)}, 0.5));
    EfPoint uneven{.ef = 10};
    for (int i = 0; i < 100; ++i) {
        uneven.add(i < 90 ? 1 : 0.5, 0.001);
    }
    CHECK(uneven.recall() == Catch::Approx(0.95));
    CHECK(uneven.recall_at_least() == Catch::Approx(0.905));  // three times 0.15 / 10
    CHECK(uneven.milliseconds() == Catch::Approx(1));
    CHECK(point(10, 1).recall_at_least() == Catch::Approx(1));
    CHECK(EfPoint{}.recall_at_least() == 0);
}

TEST_CASE("a curve is told as an object of JSON", "[compare]") {
    EfPoint few{.ef = 10};
    few.add(0.5, 0);
    EfPoint more{.ef = 20};
    more.add(1, 0);
    CHECK(curve_json({}) == "{}");
    CHECK(curve_json(std::vector{few, more}) == "{\"10\":0.5000,\"20\":1.0000}");
}

TEST_CASE("the efs that are tried rise", "[compare]") {
    CHECK(std::is_sorted(efs_tried().begin(), efs_tried().end()));
    CHECK(efs_tried().back() == 1000);  // pgvector's own bound
}

}  // namespace veer::router::compare
