#include "router/cutover/detector.hpp"

#include "tests/unit/router/cutover/simulated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <vector>

namespace veer::router::cutover {

namespace {

constexpr double floor_recall = 0.95;
constexpr double between_alarms = 4e6;  // as Guards ask for: four tests share 1e6

/// Values until the alarm after a long good past; `most` where there is none.
int until_alarm(std::uint64_t seed, int good, Simulated::Kind kind, double fallen, int most) {
    Detector detector(floor_recall, between_alarms);
    Simulated before(seed, Simulated::Kind::hard_queries, 0.985);
    for (int i = 0; i < good; ++i) {
        REQUIRE_FALSE(detector.add(before.next()));
    }
    Simulated after(seed + 1'000'000, kind, fallen);
    for (int i = 1; i <= most; ++i) {
        if (detector.add(after.next())) {
            return i;
        }
    }
    return most;
}

int median(int good, Simulated::Kind kind, double fallen) {
    std::vector<int> taken;
    for (std::uint64_t seed = 1; seed <= 101; ++seed) {
        taken.push_back(until_alarm(seed, good, kind, fallen, 10'000));
    }
    std::sort(taken.begin(), taken.end());
    return taken[50];
}

}  // namespace

TEST_CASE(
    "a fall to recall 0.80 is noticed after a median of at most 40 compared queries", "[cutover]"
) {
    const int at_once = median(0, Simulated::Kind::everywhere, 0.80);
    const int later = median(2000, Simulated::Kind::everywhere, 0.80);
    WARN(
        "a fall to 0.80 was noticed after a median of " << at_once << " compared queries, " << later
                                                        << " behind 2,000 good ones"
    );
    CHECK(at_once <= 40);
    CHECK(later <= 40);
    CHECK(median(0, Simulated::Kind::everywhere, 0.50) <= 12);
    CHECK(median(0, Simulated::Kind::everywhere, 0.90) <= 250);
}

TEST_CASE("0.01 above the floor there is no alarm in 200,000 queries", "[cutover]") {
    int alarms = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        for (const auto kind : {Simulated::Kind::hard_queries, Simulated::Kind::everywhere}) {
            Detector detector(floor_recall, between_alarms);
            Simulated values(seed, kind, 0.96);
            int first = 0;
            for (int i = 1; i <= 200'000; ++i) {
                first = detector.add(values.next()) && first == 0 ? i : first;
            }
            alarms += first == 0 ? 0 : 1;
            CHECK(first == 0);
        }
    }
    WARN(
        alarms << " alarms in twelve times 200,000 compared queries at recall 0.96, the floor 0.95"
    );
}

TEST_CASE("a detector stays tripped until it is reset", "[cutover]") {
    Detector detector(floor_recall, between_alarms);
    while (!detector.add(0)) {
        REQUIRE(detector.seen() < 20);
    }
    CHECK(detector.add(1));
    CHECK(detector.statistic() >= between_alarms);
    detector.reset();
    CHECK_FALSE(detector.tripped());
    CHECK_FALSE(detector.add(1));
}

}  // namespace veer::router::cutover
