#include "router/cutover/guard_times.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>

namespace veer::router::cutover {

namespace {

Time at(int hour) {
    return Time(std::chrono::hours(hour));
}

Guard told(const GuardTimes& times, Time now) {
    Guard guard{.name = "lag"};
    times.tell(guard, now);
    return guard;
}

}  // namespace

TEST_CASE("a guard is in its state since it came to it, and trips are of a day", "[cutover]") {
    GuardTimes times;
    CHECK_FALSE(told(times, at(0)).since);
    Guard lag{.name = "lag"};
    times.look({lag}, at(1));
    times.look({lag}, at(2));
    CHECK(told(times, at(2)).since == at(1));
    CHECK(told(times, at(2)).trips_of_a_day == 0);
    lag.mode = Guard::Mode::tripped;
    lag.trips = 1;
    times.look({lag}, at(3));
    times.look({lag}, at(4));
    CHECK(told(times, at(4)).since == at(3));
    CHECK(told(times, at(4)).trips_of_a_day == 1);
    lag.mode = Guard::Mode::armed;
    times.look({lag}, at(5));
    lag.trips = 3;  // of a test, which is armed again at once
    times.look({lag}, at(6));
    CHECK(told(times, at(6)).since == at(6));
    CHECK(told(times, at(6)).trips_of_a_day == 3);
    CHECK(told(times, at(27)).trips_of_a_day == 2);
    CHECK(told(times, at(30)).trips_of_a_day == 0);
}

TEST_CASE("guards that begin anew have fewer trips, and are counted on", "[cutover]") {
    GuardTimes times;
    Guard slow{.name = "lag", .trips = 5};
    times.look({slow}, at(1));
    slow.trips = 0;
    times.look({slow}, at(2));
    slow.trips = 1;
    times.look({slow}, at(3));
    CHECK(told(times, at(3)).trips_of_a_day == 6);
}

TEST_CASE("of very many trips the last are remembered", "[cutover]") {
    GuardTimes times;
    times.look({{.name = "lag", .trips = 5 * GuardTimes::kept_max}}, at(1));
    CHECK(told(times, at(1)).trips_of_a_day == GuardTimes::kept_max);
}

}  // namespace veer::router::cutover
