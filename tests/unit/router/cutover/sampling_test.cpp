#include "router/cutover/sampling.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::cutover {

namespace {

Time at(std::int64_t milliseconds) {
    return Time(std::chrono::seconds(1'000'000)) + Duration(milliseconds);
}

}  // namespace

TEST_CASE("lag is the age of the oldest position that is not applied", "[cutover]") {
    LagMeter meter;
    CHECK_FALSE(meter.lag(0, at(0)));
    meter.note(100, at(0));
    meter.note(140, at(1000));
    meter.note(190, at(2000));
    CHECK(meter.lag(120, at(2500)) == Duration(1500));
    CHECK(meter.lag(140, at(2600)) == Duration(600));
    CHECK(meter.lag(190, at(2700)) == Duration(0));
    CHECK(meter.lag(250, at(2800)) == Duration(0));
}

TEST_CASE("an idle server makes no lag, however often it is asked", "[cutover]") {
    LagMeter meter;
    for (std::int64_t i = 0; i < 100; ++i) {
        meter.note(100, at(i * 1000));
        CHECK(meter.lag(100, at(i * 1000 + 500)) == Duration(0));
    }
}

TEST_CASE("a server that does not answer leaves lag unknown, or growing", "[cutover]") {
    LagMeter meter;
    meter.note(100, at(0));
    CHECK(meter.lag(100, at(10'000)) == Duration(0));
    CHECK_FALSE(meter.lag(100, at(10'001)));
    LagMeter behind;
    behind.note(100, at(0));
    CHECK(behind.lag(50, at(60'000)) == Duration(60'000));
}

TEST_CASE("a copy that stands still is remembered in bounded memory", "[cutover]") {
    LagMeter meter;
    for (std::int64_t i = 0; i < 10'000; ++i) {
        meter.note(100 + static_cast<std::uint64_t>(i), at(i * 1000));
    }
    CHECK(meter.lag(0, at(10'000'000)) == Duration(10'000'000));
    const Duration middle = *meter.lag(5'000, at(10'000'000));  // the look at 4,901 s was the last
    CHECK(middle > Duration(5'099'000) * 8 / 10);
    CHECK(middle <= Duration(5'099'000));
    CHECK(meter.lag(10'099, at(10'000'000)) == Duration(0));
}

TEST_CASE("a server that has gone back lacks nothing of what it had been beyond", "[cutover]") {
    LagMeter meter;
    meter.note(100, at(0));
    meter.note(500, at(1000));
    meter.note(300, at(2000));  // restored
    CHECK(meter.lag(100, at(2500)) == Duration(500));
    CHECK(meter.lag(300, at(9000)) == Duration(0));
    meter.note(320, at(9000));
    CHECK(meter.lag(300, at(9500)) == Duration(500));
}

TEST_CASE("gauges hold what is known, and nothing else", "[cutover]") {
    Sampler sampler;
    const OwnLook own{.applied = 90, .memory_bytes = 30, .memory_bytes_max = 40};
    Gauges gauges = sampler.gauges(own, at(0));
    CHECK_FALSE(gauges.lag);
    CHECK_FALSE(gauges.wal_retained_bytes);
    CHECK_FALSE(gauges.postgres_pressure);
    CHECK(gauges.memory_used == 0.75);
    CHECK_FALSE(sampler.gauges({}, at(0)).memory_used);

    sampler.note(
        {.position = 100, .wal_retained_bytes = 7, .connections = 9, .connections_max = 10}, at(0)
    );
    gauges = sampler.gauges(own, at(400));
    CHECK(gauges.lag == Duration(400));
    CHECK(gauges.wal_retained_bytes == 7);
    CHECK(gauges.postgres_pressure == 0.9);
    gauges = sampler.gauges(own, at(20'000));
    CHECK(gauges.lag == Duration(20'000));
    CHECK_FALSE(gauges.wal_retained_bytes);
    CHECK_FALSE(gauges.postgres_pressure);
    CHECK_FALSE(sampler.last(at(20'000)));
}

TEST_CASE("a copy that seems behind makes the server flush, once a second", "[cutover]") {
    Sampler sampler;
    CHECK_FALSE(sampler.flush_due({}, at(0)));
    CHECK_FALSE(sampler.flush_due({.lag = Duration(299)}, at(0)));
    CHECK(sampler.flush_due({.lag = Duration(300)}, at(0)));
    CHECK_FALSE(sampler.flush_due({.lag = Duration(900)}, at(600)));
    CHECK(sampler.flush_due({.lag = Duration(1300)}, at(1000)));
}

TEST_CASE("evidence speaks of one copy and one build of its index", "[cutover]") {
    CopyWatch watch;
    const auto index = std::make_shared<const int>(1);
    const auto other = std::make_shared<const int>(2);
    CHECK(watch.changed("a", {.index = index, .rebuilds = 0, .restored = true}).empty());
    CHECK_FALSE(watch.changed("b", {.index = index, .rebuilds = 0, .restored = false}).empty());
    CHECK(watch.changed("b", {.index = index, .rebuilds = 0, .restored = false}).empty());
    CHECK(watch.changed("a", {.index = index, .rebuilds = 0, .restored = true}).empty());
    CHECK_FALSE(watch.changed("a", {.index = index, .rebuilds = 1, .restored = true}).empty());
    CHECK(watch.changed("a", {.index = index, .rebuilds = 1, .restored = true}).empty());
    CHECK_FALSE(watch.changed("a", {.index = other, .rebuilds = 1, .restored = true}).empty());
    CHECK(watch.changed("a", {.index = other, .rebuilds = 1, .restored = true}).empty());
}

TEST_CASE("a copy at the address of the one before it is another", "[cutover]") {
    CopyWatch watch;
    auto index = std::make_shared<int>(1);
    CHECK(watch.changed("a", {.index = index, .rebuilds = 0, .restored = true}).empty());
    int* const address = index.get();
    index.reset();
    const std::shared_ptr<int> next(address, [](int*) {});  // never looked at
    CHECK_FALSE(watch.changed("a", {.index = next, .rebuilds = 0, .restored = true}).empty());
}

}  // namespace veer::router::cutover
