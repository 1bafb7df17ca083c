#include "storage/sync/partition_changes.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::sync;

namespace {

const PartitionList before = parse_partitions("100 0 p p d,101 101 r p d 740,102 102 r p d 741");
constexpr Lsn looked{0x500};

PartitionList with(const std::string& more) {
    PartitionList list = before;
    list.merge(parse_partitions(more));
    return list;
}

PartitionList without(std::uint32_t partition) {
    PartitionList list = before;
    list.erase({partition});
    return list;
}

PartitionChange judge(
    const PartitionList& now,
    const source::EmptyPartitions& empty,
    const std::set<TableOid>& fresh = {},
    Lsn position = looked
) {
    return judge_partitions(before, now, {empty, fresh, looked, position});
}

}  // namespace

TEST_CASE("A list of partitions is what the catalogue says of each", "[storage]") {
    CHECK(
        before ==
        PartitionList{{{100}, "0 p p d"}, {{101}, "101 r p d 740"}, {{102}, "102 r p d 741"}}
    );
    CHECK_FALSE(has_rows(before.at({100})));
    CHECK(has_rows(before.at({101})));
    CHECK(parse_partitions("").empty());
    CHECK(parse_partitions("7") == PartitionList{{{7}, ""}});
}

TEST_CASE("A partition that came empty is followed, behind the look", "[storage]") {
    const source::EmptyPartitions empty{{{103}, {"103 r p d 800", {0x480}}}};
    const PartitionList now = with("103 103 r p d 800");
    CHECK(judge(before, {}) == PartitionChange::none);
    CHECK(judge(now, empty) == PartitionChange::followed);
    CHECK(judge(now, empty, {}, {0x4FF}) == PartitionChange::early);
    CHECK(judge(now, {{{103}, {"103 r p d 800", {0x501}}}}) == PartitionChange::early);
    CHECK(judge(now, {}) == PartitionChange::lost);
    CHECK(judge(with("103 104 r p d 800"), empty) == PartitionChange::lost);  // truncated since
    CHECK(judge(with("103 103 r p d 801"), empty) == PartitionChange::lost);  // attached again
    // With partitions of its own, each of which has to be empty.
    CHECK(judge(with("104 0 p p d 801,103 103 r p d 800"), empty) == PartitionChange::followed);
    CHECK(judge(with("104 0 p p d 801,105 105 r p d 802"), empty) == PartitionChange::lost);
    CHECK(judge(with("104 0 p p d 801"), {}, {}, {0x4FF}) == PartitionChange::early);
}

TEST_CASE("A partition that never had a row may go, and no other", "[storage]") {
    CHECK(judge(without(102), {}, {{102}}) == PartitionChange::followed);
    CHECK(judge(without(102), {}, {{102}}, {0x4FF}) == PartitionChange::early);
    CHECK(judge(without(102), {}, {{101}}) == PartitionChange::lost);
    CHECK(judge({}, {}, {{101}, {102}}) == PartitionChange::followed);
}

TEST_CASE("One that is lost decides, and so does what has become another one", "[storage]") {
    const source::EmptyPartitions empty{{{103}, {"103 r p d 800", {0x480}}}};
    PartitionList now = with("103 103 r p d 800");
    now[{101}] = "301 r p d 740";
    CHECK(judge(now, empty, {{101}}) == PartitionChange::lost);
    now = with("103 103 r p d 800,106 106 r p d 803");
    CHECK(judge(now, empty, {}, {0x4FF}) == PartitionChange::lost);
    now = with("");
    now[{100}] = "0 p p n";
    CHECK(judge(now, {}) == PartitionChange::lost);
}
