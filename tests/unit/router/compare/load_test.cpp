#include "router/compare/load.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace veer::router::compare {

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t second = 1000 * ms;

/// Whoever asks again and again, and is in flight for so long each time: the share of a long while.
double share_in_flight(LoadBudget& budget, double share, std::int64_t in_flight_ns) {
    const auto period = static_cast<std::int64_t>(static_cast<double>(in_flight_ns) / share);
    const std::int64_t whole = std::max(200 * period, 100 * second);
    std::int64_t busy = 0;
    for (std::int64_t now = 0; now < whole; now += in_flight_ns / 10) {
        if (budget.available(now)) {
            budget.charge(in_flight_ns);
            busy += in_flight_ns;
            now += in_flight_ns;
        }
    }
    return static_cast<double>(busy) / static_cast<double>(whole);
}

}  // namespace

TEST_CASE(
    "comparisons are in flight for their share of all time, however long one is", "[compare]"
) {
    for (const double share : {0.002, 0.005, 0.01, 0.1}) {
        for (const std::int64_t length : {2 * ms, 50 * ms, 800 * ms}) {
            if (static_cast<double>(length) > share * LoadBudget::owed_seconds_max * second) {
                continue;
            }
            LoadBudget budget(share);
            CHECK(share_in_flight(budget, share, length) == Catch::Approx(share).epsilon(0.05));
        }
    }
}

TEST_CASE("what hangs for long is paid back within a minute", "[compare]") {
    LoadBudget budget(0.005);
    CHECK(budget.available(0));
    budget.charge(10 * second);
    CHECK_FALSE(budget.available(59 * second));
    CHECK(budget.available(61 * second));
}

TEST_CASE("a load of one or more bounds nothing, one of zero lets nothing through", "[compare]") {
    LoadBudget all(1);
    LoadBudget none(0);
    for (int i = 0; i < 10; ++i) {
        CHECK(all.available(i));
        all.charge(second);
        CHECK_FALSE(none.available(i * second));
    }
    all.set_share(0.5);  // what was in flight without a bound is not owed
    CHECK(all.available(11 * second));
}

TEST_CASE(
    "what overdraws is paid back, and hours of nothing save up one second's worth", "[compare]"
) {
    LoadBudget budget(0.01);
    CHECK(budget.available(0));
    budget.charge(110 * ms);  // ten were there
    CHECK_FALSE(budget.available(10 * second));
    CHECK(budget.available(10 * second + ms));
    CHECK(budget.available(7200 * second));
    budget.charge(11 * ms);
    CHECK_FALSE(budget.available(7200 * second));
    CHECK_FALSE(budget.available(0));  // a clock that goes back gives nothing
}

TEST_CASE("where nobody searches, more is allowed, and no longer than that", "[compare]") {
    LoadBudget budget(0.005);
    CHECK(budget.available(0));
    budget.charge(second / 2);
    budget.look(1000, 0);
    CHECK_FALSE(budget.idle());  // not known yet
    budget.look(1001, second);
    CHECK(budget.idle());
    budget.look(1900, second + 1);  // too soon to tell
    CHECK(budget.idle());
    CHECK(budget.available(2 * second));  // a quarter of two seconds, where 0.005 gave 10 ms
    budget.charge(second);
    budget.look(2000, 2 * second);
    CHECK_FALSE(budget.idle());
    CHECK_FALSE(budget.available(50 * second));
}

TEST_CASE("a count of searches that begins anew is no traffic", "[compare]") {
    LoadBudget budget(0.005);
    budget.look(1000, 0);
    budget.look(3, second);
    CHECK(budget.idle());
}

}  // namespace veer::router::compare
