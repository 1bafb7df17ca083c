#include "router/compare/golden_inbox.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <string>

namespace veer::router::compare {

namespace {

constexpr storage::TableOid table{7};
constexpr storage::TableOid other_table{8};

double distance(std::span<const float> a, std::span<const float> b) {
    return std::abs(a[0] - b[0]);
}

storage::Lsn at(std::uint64_t position) {
    return {position};
}

storage::Upsert upsert(const std::string& key, float place, storage::TableOid of = table) {
    storage::Row row{.key = key, .vectors = {}};
    row.vectors.emplace_back(storage::Vector(std::vector<float>{place}));
    return {.table = of, .old_key = {}, .row = std::move(row)};
}

GoldenSet::Search near(float place, std::size_t k = 2) {
    return {.vector = {place}, .k = k, .ef = 40};
}

/// One search near 0 for two rows: a at 1, b at 2, found in an index that showed all up to 100.
struct One {
    One() {
        golden.offer(near(0), 0);
        const auto due = golden.next_stale();
        REQUIRE(due);
        id = due->id;
        REQUIRE(golden.judged(id, at(100), {{"a", 1}, {"b", 2}, {"c", 9}}));
    }

    bool fresh_after(storage::Change change) {
        golden.note({.lsn = at(++lsn), .what = std::move(change)});
        return golden.summary().fresh == 1;
    }

    GoldenSet golden{10, {.table = table, .vector = 0, .metric = index::Metric::l2}, distance};
    std::uint64_t id = 0;
    std::uint64_t lsn = 100;
};

}  // namespace

TEST_CASE("a change that cannot be in an exact answer leaves it fresh", "[compare]") {
    One one;
    CHECK(one.golden.summary().fresh == 1);
    CHECK_FALSE(one.golden.next_stale());
    CHECK(one.fresh_after(upsert("d", 2.5F)));
    CHECK(one.fresh_after(upsert("d", 0.1F, other_table)));
    CHECK(one.fresh_after(storage::Delete{.table = table, .key = "c"}));
    CHECK(one.fresh_after(storage::Delete{.table = other_table, .key = "a"}));
    CHECK(one.fresh_after(storage::Truncate{.tables = {other_table}}));
    storage::Upsert titled{.table = table, .old_key = {}, .row = {.key = "a", .vectors = {}}};
    titled.row.vectors.emplace_back(storage::UnchangedVector{});
    CHECK(one.fresh_after(titled));
    CHECK(one.fresh_after(upsert("a", -1)));  // as near as it was
    storage::Upsert none = titled;
    none.row = {.key = "new", .vectors = {storage::NullVector{}}};
    CHECK(one.fresh_after(none));
}

TEST_CASE("among rows that pass a WHERE, an update may bring one in or take one out", "[compare]") {
    storage::Upsert retitled{.table = table, .old_key = {}, .row = {.key = "d", .vectors = {}}};
    retitled.row.vectors.emplace_back(storage::UnchangedVector{});

    struct Case {
        storage::Change change;
        bool fresh;
    };

    const std::vector<Case> cases{
        {upsert("a", -1), false},    // as near as it was, and perhaps forbidden now
        {upsert("d", 1.5F), false},  // whether it passes the judge will see
        {retitled, false},           // nobody knows how near it is
        {upsert("d", 2.5F), true},   // too far, whatever WHERE says of it
        {storage::Delete{.table = table, .key = "c"}, true},
        {storage::Delete{.table = table, .key = "b"}, false}};
    for (const Case& each : cases) {
        GoldenSet golden{10, {.table = table, .vector = 0, .metric = index::Metric::l2}, distance};
        GoldenSet::Search search = near(0);
        search.filter = index::Filter{};
        golden.offer(search, 0);
        const auto due = golden.next_stale();
        REQUIRE(due);
        CHECK(due->search.filter);
        REQUIRE(golden.judged(due->id, at(100), {{"a", 1}, {"b", 2}}));
        golden.note({.lsn = at(101), .what = each.change});
        CHECK((golden.summary().fresh == 1) == each.fresh);
    }
}

TEST_CASE("a change that may be in an exact answer makes it stale", "[compare]") {
    storage::Upsert renamed{.table = table, .old_key = "a", .row = {.key = "z", .vectors = {}}};
    renamed.row.vectors.emplace_back(storage::UnchangedVector{});
    storage::Upsert emptied{.table = table, .old_key = {}, .row = {.key = "b", .vectors = {}}};
    emptied.row.vectors.emplace_back(storage::NullVector{});
    storage::Upsert wider = upsert("d", 5);
    wider.row.vectors[0] = storage::Vector(std::vector<float>{5, 5});
    const std::vector<storage::Change> changes{
        upsert("d", 1.5F),                            // nearer than the last
        upsert("d", 2.0F),                            // a tie with it
        upsert("d", std::nanf("")),                   // nobody knows
        upsert("a", 7),                               // moved away
        storage::Delete{.table = table, .key = "b"},  //
        storage::Truncate{.tables = {other_table, table}},
        renamed,
        emptied,
        wider};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        INFO(i);
        One one;
        CHECK_FALSE(one.fresh_after(changes[i]));
        CHECK(one.golden.next_stale());
        CHECK(one.golden.fresh().empty());
    }
}

TEST_CASE("where all rows are in the answer any new one belongs to it", "[compare]") {
    GoldenSet golden(10, {.table = table}, distance);
    golden.offer(near(0, 5), 0);
    const std::uint64_t id = golden.next_stale()->id;
    CHECK(golden.judged(id, at(1), {{"a", 1}, {"b", 2}}));
    CHECK(golden.measured(id, {{"a", 1}, {"b", 2}}));
    CHECK(golden.summary().recall == 1);
    golden.note({.lsn = at(2), .what = upsert("far", 1000)});
    CHECK(golden.summary().fresh == 0);
}

TEST_CASE("what the judge may not have seen counts, and what it saw does not", "[compare]") {
    One one;
    one.golden.note({.lsn = at(150), .what = upsert("d", 0.5F)});
    CHECK(one.golden.summary().fresh == 0);
    // The index had shown up to 140 when the judge looked: d may be missing in its answer.
    CHECK_FALSE(one.golden.judged(one.id, at(140), {{"a", 1}, {"b", 2}}));
    CHECK(one.golden.judged(one.id, at(150), {{"d", 0.5}, {"a", 1}}));
    one.golden.lose(at(200));
    CHECK(one.golden.summary().fresh == 0);
    CHECK_FALSE(one.golden.judged(one.id, at(199), {{"d", 0.5}, {"a", 1}}));
    CHECK(one.golden.judged(one.id, at(200), {{"d", 0.5}, {"a", 1}}));
    CHECK(one.golden.summary().judged == 4);
}

TEST_CASE("what is forgotten for room keeps no answer fresh that was judged before", "[compare]") {
    One one;
    for (std::uint64_t i = 1; i <= GoldenSet::remembered_max + 1; ++i) {
        one.golden.note({.lsn = at(100 + i), .what = upsert("far", 50)});
    }
    CHECK(one.golden.summary().fresh == 1);  // each has been looked at
    CHECK_FALSE(one.golden.judged(one.id, at(100), {{"a", 1}, {"b", 2}}));
    CHECK(one.golden.judged(one.id, at(101), {{"a", 1}, {"b", 2}}));
}

TEST_CASE("a set without searches remembers nothing, and knows it", "[compare]") {
    GoldenSet golden(10, {.table = table}, distance);
    golden.note({.lsn = at(50), .what = upsert("a", 1)});
    golden.offer(near(0), 0);
    const std::uint64_t id = golden.next_stale()->id;
    CHECK_FALSE(golden.judged(id, at(49), {{"b", 1}, {"c", 2}}));
    CHECK(golden.judged(id, at(50), {{"a", 1}, {"c", 2}}));
}

TEST_CASE("recall is what the index finds of the exact answer, ties being equal", "[compare]") {
    One one;
    CHECK(one.golden.measured(one.id, {{"a", 1}, {"x", 2}}));
    CHECK(one.golden.summary().recall == 1);
    CHECK(one.golden.measured(one.id, {{"a", 1}, {"a", 1}}));
    CHECK(one.golden.summary().recall == 0.5);  // the same row twice is one
    CHECK(one.golden.measured(one.id, {{"x", 3}, {"y", 4}}));
    CHECK(one.golden.summary().recall == 0);
    CHECK(one.golden.recall(one.id, {{"a", 1}, {"a", 1}}) == 0.5);
    CHECK(one.golden.summary().recall == 0);  // that was only asked
    CHECK_FALSE(one.golden.recall(one.id + 1, {}));
    CHECK_FALSE(one.golden.measured(one.id + 1, {}));
    one.golden.lose(at(100));
    CHECK_FALSE(one.golden.measured(one.id, {{"a", 1}, {"b", 2}}));
    CHECK(one.golden.summary().measured == 0);
    CHECK(one.golden.summary().recall == 1);  // nothing is known
}

TEST_CASE("a golden set is bounded, and lives", "[compare]") {
    GoldenSet golden(50, {.table = table}, distance);
    std::uint64_t random = 1;
    const auto next = [&random] {
        return random = random * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    };
    for (int i = 0; i < 5000; ++i) {
        golden.offer(near(0), next() >> 33U);
    }
    for (int i = 0; i < 5000; ++i) {
        golden.offer(near(1), next() >> 33U);
    }
    CHECK(golden.summary().searches == 50);
    std::size_t late = 0;
    while (const auto due = golden.next_stale()) {
        late += due->search.vector[0] == 1 ? 1 : 0;
        REQUIRE(golden.judged(due->id, at(1), {{"a", 1}, {"b", 2}}));
    }
    CHECK(late > 25);  // what is searched for today has got in
    golden.set_capacity(10);
    CHECK(golden.summary().searches == 10);
    golden.set_capacity(0);
    golden.offer(near(0), 0);
    CHECK(golden.summary().searches == 0);
}

TEST_CASE("stale answers are judged in turn, however often one fails", "[compare]") {
    GoldenSet golden(3, {.table = table}, distance);
    for (int i = 0; i < 3; ++i) {
        golden.offer(near(static_cast<float>(i)), 0);
    }
    golden.lose(at(10));
    std::vector<float> places;
    for (int i = 0; i < 3; ++i) {
        const auto due = golden.next_stale();
        places.push_back(due->search.vector[0]);
        CHECK_FALSE(golden.judged(due->id, at(9), {}));
    }
    CHECK(places == std::vector<float>{0, 1, 2});
    golden.postpone(golden.next_stale()->id);
    CHECK(golden.next_stale()->search.vector[0] == 1);
    while (const auto due = golden.next_stale()) {
        CHECK(golden.judged(due->id, at(10), {{"a", 1}, {"b", 2}}));
    }
    const std::uint64_t first = golden.fresh().front().id;
    CHECK(golden.measured(first, {{"a", 1}}));
    CHECK(golden.fresh().back().id == first);  // the others' turn
}

TEST_CASE("few searches say less of recall than many", "[compare]") {
    const auto measured = [](std::size_t count) {
        GoldenSet golden(count, {.table = table}, distance);
        for (std::size_t i = 0; i < count; ++i) {
            golden.offer(near(0), 0);
            const std::uint64_t id = golden.next_stale()->id;
            REQUIRE(golden.judged(id, at(1), {{"a", 1}, {"b", 2}}));
            REQUIRE(
                golden.measured(id, {{"a", 1}, {i % 5 == 0 ? "x" : "b", i % 5 == 0 ? 3.0 : 2.0}})
            );
        }
        return golden.summary();
    };
    const GoldenSummary few = measured(10);
    const GoldenSummary many = measured(1000);
    CHECK_FALSE(few.tells());
    CHECK(many.tells());
    CHECK(std::abs(many.recall - 0.9) < 1e-9);
    CHECK(few.recall_at_most > many.recall_at_most);
    CHECK(many.recall_at_most > 0.9);
    CHECK(many.recall_at_most < 0.92);
}

TEST_CASE("an inbox keeps what is watched, in order, and says what it has lost", "[compare]") {
    GoldenInbox inbox;
    const auto commit = [&inbox](std::uint64_t lsn, std::vector<storage::Change> changes) {
        inbox.note({.commit_lsn = at(lsn - 1), .end_lsn = at(lsn), .changes = std::move(changes)});
    };
    commit(10, {upsert("a", 1)});
    CHECK(inbox.take().changes.empty());  // nobody has asked for it
    inbox.watch({table});
    CHECK(inbox.take().lost == at(10));
    commit(
        20,
        {upsert("a", 1), upsert("x", 1, other_table), storage::Delete{.table = table, .key = "b"}}
    );
    commit(30, {storage::Truncate{.tables = {other_table, table}}});
    GoldenInbox::Taken taken = inbox.take();
    CHECK_FALSE(taken.lost);
    REQUIRE(taken.changes.size() == 3);
    CHECK(taken.changes[1].lsn == at(20));
    CHECK(taken.changes[2].lsn == at(30));
    CHECK(std::holds_alternative<storage::Truncate>(taken.changes[2].what));
    CHECK(inbox.take().changes.empty());
    inbox.watch({table});
    CHECK_FALSE(inbox.take().lost);  // watched already
    commit(40, {upsert("a", 1)});
    inbox.lose(at(50));
    commit(60, {upsert("b", 1)});
    taken = inbox.take();
    CHECK(taken.lost == at(50));
    CHECK(taken.changes.size() == 1);
}

TEST_CASE("an inbox that is full has lost all, and goes on", "[compare]") {
    GoldenInbox inbox;
    inbox.watch({table});
    inbox.take();
    std::uint64_t lsn = 0;
    for (std::size_t i = 0; i <= GoldenInbox::changes_max; ++i) {
        ++lsn;
        inbox.note({.commit_lsn = at(lsn), .end_lsn = at(lsn), .changes = {upsert("a", 1)}});
    }
    const GoldenInbox::Taken taken = inbox.take();
    CHECK(taken.lost == at(lsn));
    CHECK(taken.changes.empty());
    inbox.note({.commit_lsn = at(lsn), .end_lsn = at(lsn + 1), .changes = {upsert("a", 1)}});
    CHECK(inbox.take().changes.size() == 1);
}

}  // namespace veer::router::compare
