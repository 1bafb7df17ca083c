#include "storage/sync/join_schedule.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::sync;
using veer::tests::sample_table;
using Clock = JoinSchedule::Clock;
using Failure = JoinSchedule::Failure;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Clock::time_point start{std::chrono::hours{1'000}};

Table of_size(std::uint32_t oid, double rows) {
    Table table = sample_table(oid);
    table.estimated_rows = rows;
    return table;
}

}  // namespace

TEST_CASE("The smallest table that is due is copied first", "[storage]") {
    JoinSchedule schedule;
    const std::vector<Table> wanted{of_size(1, 1'000), of_size(2, 10), of_size(3, 50)};
    CHECK_FALSE(schedule.next({}, start).has_value());
    CHECK(schedule.next(wanted, start)->oid == TableOid{2});
    CHECK(schedule.next(wanted, start, TableOid{1})->oid == TableOid{1});
    schedule.failed({2}, Failure::cheap, start);
    CHECK(schedule.next(wanted, start)->oid == TableOid{3});
    CHECK(schedule.due({wanted[1]}, start) == start + milliseconds{500});
    CHECK(schedule.next(wanted, start + milliseconds{500})->oid == TableOid{2});
}

TEST_CASE("What could not begin is tried again soon, but less and less", "[storage]") {
    JoinSchedule schedule;
    const std::vector<Table> wanted{of_size(1, 1)};
    for (const milliseconds wait :
         {milliseconds{500},
          milliseconds{1'000},
          milliseconds{2'000},
          milliseconds{4'000},
          milliseconds{8'000},
          milliseconds{10'000},
          milliseconds{10'000}}) {
        schedule.failed({1}, Failure::cheap, start);
        CHECK(schedule.due(wanted, start) == start + wait);
    }
    schedule.joined({1}, start);
    schedule.failed({1}, Failure::cheap, start);
    CHECK(schedule.due(wanted, start) == start + milliseconds{500});
}

TEST_CASE("A copy that was for nothing is made again at once, and then seldom", "[storage]") {
    JoinSchedule schedule;
    const std::vector<Table> wanted{of_size(1, 1)};
    schedule.failed({1}, Failure::costly, start);
    CHECK(schedule.due(wanted, start) == start);
    schedule.joined({1}, start);
    schedule.failed({1}, Failure::costly, start);
    CHECK(schedule.due(wanted, start) == start + seconds{10});
    Clock::time_point now = start;
    for (int failure = 0; failure < 20; ++failure) {
        now += seconds{1};
        schedule.failed({1}, Failure::costly, now);
    }
    CHECK(schedule.due(wanted, now) == now + std::chrono::hours{1});
    // Copied for two hours, and for nothing: no sign of health.
    now += std::chrono::hours{2};
    schedule.failed({1}, Failure::costly, now);
    CHECK(schedule.due(wanted, now) == now + std::chrono::hours{1});
    // Nor is it to join after an hour's wait, and fail again.
    now += std::chrono::hours{1};
    schedule.joined({1}, now);
    now += seconds{1};
    schedule.failed({1}, Failure::costly, now);
    CHECK(schedule.due(wanted, now) == now + std::chrono::hours{1});
    schedule.joined({1}, now);
    now += std::chrono::hours{2};
    schedule.failed({1}, Failure::costly, now);
    CHECK(schedule.due(wanted, now) == now);
}

TEST_CASE("A copy that has begun goes first, unless it fails and fails", "[storage]") {
    JoinSchedule schedule;
    const std::vector<Table> wanted{of_size(1, 1'000), of_size(2, 10)};
    CHECK(schedule.next(wanted, start, TableOid{7})->oid == TableOid{2});
    CHECK(schedule.next(wanted, start, TableOid{1})->oid == TableOid{1});
    for (int failure = 0; failure < 4; ++failure) {
        schedule.failed({1}, Failure::cheap, start);
        CHECK_FALSE(schedule.next(wanted, start, TableOid{1}).has_value());
        CHECK(schedule.due(wanted, start, TableOid{1}) > start);
    }
    schedule.failed({1}, Failure::cheap, start);
    CHECK(schedule.next(wanted, start, TableOid{1})->oid == TableOid{2});
}

TEST_CASE("A copy that comes farther each time goes first, however often it is cut", "[storage]") {
    JoinSchedule schedule;
    const std::vector<Table> wanted{of_size(1, 1'000), of_size(2, 10)};
    for (int failure = 0; failure < 20; ++failure) {
        schedule.failed({1}, Failure::advanced, start);
        CHECK(schedule.due(wanted, start, TableOid{1}) == start + milliseconds{500});
    }
    for (int failure = 0; failure < 3; ++failure) {
        schedule.failed({1}, Failure::cheap, start);
        CHECK_FALSE(schedule.next(wanted, start, TableOid{1}).has_value());
    }
    schedule.failed({1}, Failure::advanced, start);
    CHECK(schedule.due(wanted, start, TableOid{1}) == start + milliseconds{500});
}
