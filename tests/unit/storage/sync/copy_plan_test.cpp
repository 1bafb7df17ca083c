#include "storage/sync/copy_pace.hpp"
#include "storage/sync/copy_rate.hpp"
#include "storage/sync/page_ranges.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <random>

using namespace veer::storage::sync;
using namespace std::chrono_literals;
using Ranges = std::vector<PageRange>;

TEST_CASE("A table is read in ranges, the last of which has no end", "[storage]") {
    CHECK(ranges_left(0, 10, {}) == Ranges{{}});
    CHECK(ranges_left(10, 10, {}) == Ranges{{}});
    CHECK(ranges_left(25, 10, {}) == Ranges{{0, 10}, {10, 20}, {20, PageRange::no_end}});
    CHECK(ranges_left(25, 10, {{}}).empty());
    CHECK(
        ranges_left(25, 10, {{5, 8}, {20, 22}}) ==
        Ranges{{0, 5}, {8, 18}, {18, 20}, {22, PageRange::no_end}}
    );
    // Of a table that has become smaller since.
    CHECK(ranges_left(1, 10, {{0, 20}}) == Ranges{{20, PageRange::no_end}});
}

TEST_CASE("Ranges that are read in any order become one", "[storage]") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 50; ++round) {
        Ranges ranges =
            ranges_left(random() % 200, static_cast<std::uint32_t>(random() % 9 + 1), {});
        std::shuffle(ranges.begin(), ranges.end(), random);
        Ranges done;
        for (const PageRange& range : ranges) {
            CHECK_FALSE(done == Ranges{{}});
            add_range(done, range);
            CHECK(std::is_sorted(done.begin(), done.end(), [](const auto& one, const auto& other) {
                return one.end < other.first;
            }));
        }
        CHECK(done == Ranges{{}});
    }
}

TEST_CASE("A range is of about as many bytes as are wanted", "[storage]") {
    CHECK(pages_of({1'000, 8'192'000}, 81'920) == 10);
    CHECK(pages_of({1'000, 80'000'000}, 81'920) == 1);  // most is out of line
    CHECK(pages_of({0, 0}, 1'000) == 1'000);
    CHECK(pages_of({4'000'000'000, 32'768'000'000'000}, 8'192) > 900'000);  // few enough
}

TEST_CASE("A copy that is read from the snapshot of its end is whole", "[storage]") {
    veer::storage::store::CopyRecord record;
    record.done = {{}};
    CHECK(is_read(record));
    record.last = {1};
    CHECK_FALSE(is_read(record));
    record.first = {1};
    CHECK(is_read(record));
    record.done = {{0, 5}};
    CHECK_FALSE(is_read(record));
}

TEST_CASE("A copy keeps to its pace", "[storage]") {
    const CopyPace::Clock::time_point start{1h};
    CopyPace unbound{0};
    CHECK(unbound.take(1U << 30U, start) == 0s);
    CopyPace pace{1'000};
    CHECK(pace.take(100, start) == 0s);  // a tenth of a second's is free
    CHECK(pace.take(1'000, start) == 1s);
    CHECK(pace.take(1'000, start) == 2s);
    CHECK(pace.take(1'000, start + 2s) == 1s);
    CHECK(pace.take(1'000, start + 1h) == 900ms);  // what was not used is lost
}

TEST_CASE("How long a copy still takes is told where it can be", "[storage]") {
    CHECK_FALSE(rate_of({10, 10, 100, 0.01}).seconds_left.has_value());
    CHECK_FALSE(rate_of({0, 10, 100, 5}).seconds_left.has_value());
    const Rate rate = rate_of({50, 60, 100, 5});
    CHECK(rate.rows_per_second == 10);
    CHECK(rate.seconds_left == 4.0);
    CHECK_FALSE(rate_of({50, 60, 40, 5}).seconds_left.has_value());
    CHECK(rate_of({50, 60, 40, 5}).rows_per_second == 10);
    TableStatus status;
    status.state = TableState::copying;
    status.rows_done = 60;
    status.rows_estimated = 100;
    status.bytes_done = 2'000'000;
    status.rows_per_second = 10;
    status.seconds_left = 3.2;
    CHECK(describe_progress(status) == "60 of about 100 rows, 2 MB, 10 rows/s, 4 s left");
    status.state = TableState::building;
    CHECK(describe_progress(status) == "60 of 100 rows, 10 rows/s, 4 s left");
}
