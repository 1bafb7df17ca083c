#include "storage/verify/comparison.hpp"

#include "storage/verify/row_digest.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::verify;
using veer::tests::floats;
using veer::tests::key_of;
using veer::tests::row_of;
using veer::tests::sample_table;
using Kind = Difference::Kind;

TEST_CASE("Differences are what the copy lacks, has too many of, or has otherwise", "[storage]") {
    CHECK(differences({{key_of(2), 7}, {key_of(1), 6}}, {{key_of(1), 6}, {key_of(2), 7}}).empty());
    CHECK(
        differences(
            {{key_of(9), 1}, {key_of(3), 5}, {key_of(1), 4}},
            {{key_of(1), 4}, {key_of(2), 8}, {key_of(3), 6}}
        ) ==
        std::vector<Difference>{
            {key_of(2), Kind::extra}, {key_of(3), Kind::other}, {key_of(9), Kind::missing}}
    );
}

TEST_CASE("A difference names its row", "[storage]") {
    CHECK(
        describe(sample_table(), {key_of(~0ULL), Kind::missing}) == "id = -1: missing in the copy"
    );
    Table table = sample_table();
    table.key = {0, 1};
    RowKey key = key_of(5);
    append_key_column(key, "it");
    CHECK(describe(table, {key, Kind::extra}) == "id = 5, note = 'it': only in the copy");
}

TEST_CASE("A digest is of the key and of every vector", "[storage]") {
    const Table table = sample_table();
    const std::uint64_t digest = row_digest(table, row_of(1, floats({1, 2}), floats({3})));
    CHECK(row_digest(table, row_of(1, floats({1, 2}), floats({3}))) == digest);
    CHECK(row_digest(table, row_of(2, floats({1, 2}), floats({3}))) != digest);
    CHECK(row_digest(table, row_of(1, floats({1, 2}), NullVector{})) != digest);
    CHECK(row_digest(table, row_of(1, floats({1, 2}), floats({4}))) != digest);
    RangeSum sum;
    sum.add(5);
    sum.add(5);
    CHECK(sum == RangeSum{2, 0});
}

TEST_CASE("A pace is kept by pauses", "[storage]") {
    using std::chrono::milliseconds;
    const Pace::Clock::time_point began;
    const Pace pace{1'000, began};
    CHECK(pace.pause(500, began) == milliseconds{500});
    CHECK(pace.pause(500, began + milliseconds{400}) == milliseconds{100});
    CHECK(pace.pause(500, began + milliseconds{600}) == milliseconds{0});
    CHECK(Pace(0, began).pause(1'000'000, began) == milliseconds{0});
}
