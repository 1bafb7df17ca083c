#include "router/compare/calibration.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <utility>

namespace veer::router::compare {

namespace {

Mismatch answered(Rows veer, Rows postgres) {
    Mismatch made;
    made.answers.tolerance = {.relative = 1e-6, .absolute = 0};
    made.answers.veer = std::move(veer);
    made.answers.postgres = std::move(postgres);
    return made;
}

}  // namespace

TEST_CASE("what floats err by is held against the tolerance", "[compare]") {
    Calibration calibration;
    const Mismatch one =
        answered({{"a", 1.0}, {"b", 2.0}, {"v", 3.0}}, {{"a", 1.0 + 5e-7}, {"b", 2.0}, {"p", 3.0}});
    calibration.add(one, one);
    auto found = calibration.findings();
    REQUIRE(found.size() == 4);
    CHECK(found[0].samples == 2);  // of rows that both have found
    CHECK(std::abs(found[0].most - 5e-7) < 1e-9);
    CHECK(std::abs(found[1].most - 0.5) < 1e-3);
    CHECK(found[1].allowed == 1);
    CHECK(found[1].verdict == "the tolerance covers it");
    CHECK(found[2].verdict == "Postgres agrees with itself");
    CHECK(found[3].verdict == "it does not matter");

    const Mismatch other = answered({{"a", 1.0}}, {{"a", 1.0 + 5e-6}});
    calibration.add(other, other);
    found = calibration.findings();
    CHECK(found[1].most > 4);
    CHECK(found[1].verdict == "rows at one distance are taken for different");
}

TEST_CASE("a row in motion is no error of floats", "[compare]") {
    Calibration calibration;
    Mismatch one = answered({{"a", 1.0}}, {{"a", 9.0}});
    one.answers.changed.keys.insert("a");
    calibration.add(one, one);
    CHECK(calibration.findings()[1].samples == 0);
    CHECK(calibration.findings()[1].verdict == "not measured");
}

TEST_CASE("Postgres' second answer tells whether it agrees with itself", "[compare]") {
    Calibration calibration;
    const Mismatch first = answered({}, {{"a", 1.0}, {"b", 1.0}});
    calibration.add(first, answered({}, {{"b", 1.0}, {"a", 1.0}}));  // a tie
    CHECK(calibration.findings()[2].most == 0);
    calibration.add(first, answered({}, {{"a", 1.0}, {"c", 2.0}}));
    calibration.add(first, answered({}, {{"a", 1.0}}));
    Mismatch hanging = first;
    hanging.judgement.tolerance_matters = true;
    calibration.add(hanging, first);
    CHECK(calibration.searches() == 4);
    CHECK(calibration.findings()[2].most == 0.5);
    CHECK(calibration.findings()[2].verdict != "Postgres agrees with itself");
    CHECK(calibration.findings()[3].most == 0.25);
    CHECK(Calibration().findings()[2].samples == 0);
}

}  // namespace veer::router::compare
