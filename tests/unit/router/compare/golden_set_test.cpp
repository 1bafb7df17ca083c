#include "router/compare/golden_inbox.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

/// Of an index that showed all up to there; `asked` rows were asked for, and no more than these are
/// there where they are fewer.
GoldenSet::Exact exact(std::uint64_t as_of, std::size_t asked, Rows rows) {
    return {.as_of = at(as_of), .asked = asked, .rows = std::move(rows)};
}

/// One search near 0 for two rows: a at 1, b at 2, and of the reserve c at 3, d at 9, found in an
/// index that showed all up to 100. Nobody knows what is at 9 or farther.
struct One {
    explicit One(GoldenSet::Search search = near(0), GoldenSet::Passes passes = {})
        : golden(
              10,
              {.table = table, .vector = 0, .metric = index::Metric::l2},
              distance,
              std::move(passes)
          ) {
        golden.offer(std::move(search), 0);
        const auto due = golden.next_stale();
        REQUIRE(due);
        id = due->id;
        REQUIRE(golden.judged(id, exact(100, 4, {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 9}})));
    }

    /// The recall of an answer by an index that has had everything.
    double recall(const Rows& found) const {
        return golden.recall(id, at(lsn), found).value_or(-1);
    }

    bool fresh_after(storage::Change change) {
        golden.note({.lsn = at(++lsn), .what = std::move(change)});
        return golden.summary().fresh == 1;
    }

    GoldenSet golden;
    std::uint64_t id = 0;
    std::uint64_t lsn = 100;
};

storage::Upsert untouched(const std::string& key) {
    storage::Upsert titled{.table = table, .old_key = {}, .row = {.key = key, .vectors = {}}};
    titled.row.vectors.emplace_back(storage::UnchangedVector{});
    return titled;
}

}  // namespace

TEST_CASE("a change that cannot be in an exact answer leaves it as it is", "[compare]") {
    One one;
    CHECK(one.golden.summary().fresh == 1);
    CHECK_FALSE(one.golden.next_stale());
    CHECK(one.fresh_after(upsert("e", 9.5F)));
    CHECK(one.fresh_after(upsert("e", 0.1F, other_table)));
    CHECK(one.fresh_after(storage::Delete{.table = table, .key = "e"}));
    CHECK(one.fresh_after(storage::Delete{.table = other_table, .key = "a"}));
    CHECK(one.fresh_after(storage::Truncate{.tables = {other_table}}));
    CHECK(one.fresh_after(untouched("a")));
    CHECK(one.fresh_after(upsert("a", -1)));  // as near as it was
    storage::Upsert none = untouched("new");
    none.row.vectors = {storage::NullVector{}};
    CHECK(one.fresh_after(none));
    CHECK(one.golden.recall(one.id, at(100), {{"a", 1}, {"b", 2}}) == 1);  // nothing has altered it
}

TEST_CASE("a change in an exact answer is followed, and nobody judges again", "[compare]") {
    const auto after = [](storage::Change change, const Rows& found) {
        One one;
        CHECK(one.fresh_after(std::move(change)));
        return one.recall(found);
    };
    CHECK(after(upsert("e", 0.5F), {{"e", 0.5}, {"a", 1}}) == 1);
    CHECK(after(upsert("e", 0.5F), {{"a", 1}, {"b", 2}}) == 0.5);  // which it was before
    CHECK(after(upsert("e", 2), {{"a", 1}, {"e", 2}}) == 1);       // a tie with the last
    CHECK(after(upsert("a", 7), {{"b", 2}, {"c", 3}}) == 1);
    CHECK(after(upsert("a", 70), {{"b", 2}, {"c", 3}}) == 1);
    CHECK(after(storage::Delete{.table = table, .key = "b"}, {{"a", 1}, {"c", 3}}) == 1);
    CHECK(after(storage::Delete{.table = table, .key = "c"}, {{"a", 1}, {"b", 2}}) == 1);
    storage::Upsert emptied = untouched("b");
    emptied.row.vectors = {storage::NullVector{}};
    CHECK(after(emptied, {{"a", 1}, {"c", 3}}) == 1);
    storage::Upsert renamed = upsert("z", 1);
    renamed.old_key = "a";
    CHECK(after(renamed, {{"z", 1}, {"b", 2}}) == 1);
}

TEST_CASE("what nobody can tell of makes an exact answer stale", "[compare]") {
    storage::Upsert renamed = untouched("z");
    renamed.old_key = "a";
    storage::Upsert wider = upsert("e", 5);
    wider.row.vectors[0] = storage::Vector(std::vector<float>{5, 5});
    const std::vector<storage::Change> changes{
        upsert("e", std::nanf("")),
        storage::Truncate{.tables = {other_table, table}},
        renamed,
        wider};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        INFO(i);
        One one;
        CHECK_FALSE(one.fresh_after(changes[i]));
        CHECK(one.golden.next_stale());
        CHECK(one.golden.fresh().empty());
        CHECK(one.recall({{"a", 1}, {"b", 2}}) == -1);
    }
}

TEST_CASE("once the reserve is spent an answer is judged again", "[compare]") {
    One one;
    CHECK(one.fresh_after(storage::Delete{.table = table, .key = "a"}));
    CHECK(one.fresh_after(storage::Delete{.table = table, .key = "b"}));
    CHECK(one.recall({{"c", 3}, {"d", 9}}) == 1);
    CHECK_FALSE(one.fresh_after(storage::Delete{.table = table, .key = "c"}));
    REQUIRE(one.golden.next_stale());
    CHECK(one.golden.judged(one.id, exact(one.lsn, 4, {{"d", 9}, {"e", 10}, {"f", 11}, {"g", 12}}))
    );
    CHECK(one.recall({{"d", 9}, {"e", 10}}) == 1);
}

TEST_CASE("rows that come in for ever take no memory for ever, and stay exact", "[compare]") {
    One one;
    for (int i = 1; i <= 5000; ++i) {
        const float nearer = 1.0F / static_cast<float>(i + 1);
        REQUIRE(one.fresh_after(upsert("n" + std::to_string(i), nearer)));
        REQUIRE(
            one.recall(
                {{"n" + std::to_string(i), nearer},
                 {i == 1 ? "a" : "n" + std::to_string(i - 1), i == 1 ? 1.0 : 1.0 / i}}
            ) == 1
        );
    }
    // All but the reserve has been forgotten: of it as many may go as it has rows.
    std::size_t gone = 0;
    while (one.fresh_after(storage::Delete{.table = table, .key = "n" + std::to_string(5000 - gone)}
    )) {
        ++gone;
    }
    CHECK(gone >= 2);
    CHECK(gone <= 2 * exact_rows(2));
}

TEST_CASE("an index is held against an answer only if it has had what altered it", "[compare]") {
    One one;
    REQUIRE(one.fresh_after(upsert("e", 0.5F)));  // at 101
    CHECK_FALSE(one.golden.recall(one.id, at(100), {{"a", 1}, {"b", 2}}));
    CHECK_FALSE(one.golden.measured(one.id, at(100), {{"a", 1}, {"b", 2}}));
    CHECK(one.golden.measured(one.id, at(101), {{"e", 0.5}, {"a", 1}}));
    CHECK(one.golden.summary().measured == 1);
    CHECK(one.golden.fresh(true).empty());
    CHECK(one.golden.fresh().size() == 1);
    REQUIRE(one.fresh_after(storage::Delete{.table = table, .key = "e"}));
    CHECK(one.golden.summary().measured == 0);  // that was of another answer
    CHECK(one.golden.fresh(true).size() == 1);
    CHECK(one.fresh_after(storage::Delete{.table = table, .key = "d"}));
    CHECK(one.golden.recall(one.id, at(102), {{"a", 1}, {"b", 2}}) == 1);  // d was of the reserve
}

TEST_CASE(
    "among rows that pass a WHERE, an update brings rows in and takes them out", "[compare]"
) {
    GoldenSet::Search search = near(0);
    search.filter = index::Filter{
        .kind = index::Filter::Kind::compare, .column = 0, .values = {std::string("yes")}};
    const auto with = [](storage::Upsert change, const char* value) {
        change.row.values.emplace_back(std::string(value));
        return change;
    };

    struct Case {
        storage::Change change;
        bool fresh;
        Rows found = {{"a", 1}, {"b", 2}};
    };

    const std::vector<Case> cases{
        {with(upsert("a", -1), "yes"), true},
        {with(upsert("a", -1), "no"), true, {{"b", 2}, {"c", 3}}},
        {with(upsert("e", 1.5F), "yes"), true, {{"a", 1}, {"e", 1.5}}},
        {with(upsert("e", 1.5F), "no"), true},
        {with(untouched("a"), "yes"), true},
        {with(untouched("a"), "no"), true, {{"b", 2}, {"c", 3}}},
        {with(untouched("e"), "no"), true},
        {with(untouched("e"), "yes"), false},  // it may pass for the first time, and be near
        {upsert("a", -1), false},
        {upsert("e", 1.5F), false},
        {upsert("e", 9.5F), true},  // too far, whatever WHERE says of it
        {storage::Delete{.table = table, .key = "c"}, true},
        {storage::Delete{.table = table, .key = "b"}, true, {{"a", 1}, {"c", 3}}}};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        INFO(i);
        One one(search, std::make_unique<index::RowProbe>(std::vector{storage::ColumnType::text}));
        CHECK(one.fresh_after(cases[i].change) == cases[i].fresh);
        CHECK((one.recall(cases[i].found) == 1) == cases[i].fresh);
    }
}

TEST_CASE("where all rows are in the answer any new one belongs to it", "[compare]") {
    GoldenSet golden(10, {.table = table}, distance);
    golden.offer(near(0, 5), 0);
    const std::uint64_t id = golden.next_stale()->id;
    CHECK(golden.judged(id, exact(1, 10, {{"a", 1}, {"b", 2}})));
    CHECK(golden.measured(id, at(1), {{"a", 1}, {"b", 2}}));
    CHECK(golden.summary().recall == 1);
    golden.note({.lsn = at(2), .what = upsert("far", 1000)});
    CHECK(golden.summary().fresh == 1);
    CHECK(golden.recall(id, at(2), {{"a", 1}, {"b", 2}, {"far", 1000}}) == 1);
    CHECK(golden.recall(id, at(2), {{"a", 1}, {"b", 2}}) < 1);
    golden.note({.lsn = at(3), .what = storage::Delete{.table = table, .key = "a"}});
    CHECK(golden.recall(id, at(3), {{"b", 2}, {"far", 1000}}) == 1);
}

TEST_CASE("what the judge may not have seen is made up for", "[compare]") {
    One one;
    one.golden.note({.lsn = at(150), .what = upsert("e", 0.5F)});
    // The index had shown up to 140 when the judge looked: e may be missing in its answer.
    CHECK(one.golden.judged(one.id, exact(140, 4, {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 9}})));
    CHECK(one.golden.recall(one.id, at(150), {{"e", 0.5}, {"a", 1}}) == 1);
    CHECK_FALSE(one.golden.recall(one.id, at(149), {{"e", 0.5}, {"a", 1}}));
    // Or it had seen that already.
    const Rows seen{{"e", 0.5}, {"a", 1}, {"b", 2}, {"c", 3}};
    CHECK(one.golden.judged(one.id, exact(140, 4, seen)));
    CHECK(one.golden.recall(one.id, at(150), {{"e", 0.5}, {"a", 1}}) == 1);
    one.golden.lose(at(200));
    CHECK(one.golden.summary().fresh == 0);
    CHECK_FALSE(one.golden.judged(one.id, exact(199, 4, seen)));
    CHECK(one.golden.judged(one.id, exact(200, 4, seen)));
    CHECK(one.golden.summary().judged == 4);
}

TEST_CASE("who has the exact answer of a search already spares the judge", "[compare]") {
    GoldenSet golden(10, {.table = table}, distance);
    golden.note({.lsn = at(50), .what = upsert("a", 1)});
    golden.offer(near(0), 0, exact(60, 3, {{"a", 1}, {"b", 2}, {"c", 3}}));
    CHECK(golden.summary().fresh == 1);
    golden.note({.lsn = at(70), .what = upsert("d", 0.5F)});
    golden.offer(near(0), 0, exact(60, 3, {{"a", 1}, {"b", 2}, {"c", 3}}));
    CHECK(golden.summary().fresh == 2);
    for (const GoldenSet::Due& due : golden.fresh()) {
        CHECK(golden.recall(due.id, at(70), {{"d", 0.5}, {"a", 1}}) == 1);
    }
    golden.offer(near(0), 0, exact(40, 3, {{"a", 1}, {"b", 2}, {"c", 3}}));  // who knows
    CHECK(golden.summary().searches == 3);
    CHECK(golden.summary().fresh == 2);
    CHECK(golden.searches(2).size() == 2);
    CHECK(golden.searches(20).size() == 3);
}

TEST_CASE("an exact answer equals one that is worked out anew, whatever changes", "[compare]") {
    // Rows on a line, changed at random; every answer that is said to be fresh is looked up anew.
    std::uint64_t state = 42;
    const auto random = [&state](std::uint64_t below) {
        state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return (state >> 33U) % below;
    };
    std::map<std::string, float> rows;
    const auto nearest = [&rows](float place, std::size_t count) {
        Rows found;
        for (const auto& [key, at] : rows) {
            found.push_back({.key = key, .distance = std::abs(place - at)});
        }
        std::sort(found.begin(), found.end(), [](const index::Hit& a, const index::Hit& b) {
            return a.distance < b.distance;
        });
        found.resize(std::min(found.size(), count));
        return found;
    };
    GoldenSet golden(20, {.table = table}, distance);
    std::uint64_t lsn = 1;
    for (int i = 0; i < 20; ++i) {
        golden.offer(near(static_cast<float>(random(100)), 1 + random(5)), 0);
    }
    bool held = true;
    std::size_t looked_up = 0;
    for (int step = 0; step < 4000; ++step) {
        const std::string key = "r" + std::to_string(random(60));
        ++lsn;
        if (random(3) == 0) {
            rows.erase(key);
            golden.note({.lsn = at(lsn), .what = storage::Delete{.table = table, .key = key}});
        } else {
            rows[key] = static_cast<float>(random(100));
            golden.note({.lsn = at(lsn), .what = upsert(key, rows[key])});
        }
        if (const auto due = golden.next_stale()) {
            const std::size_t asked = exact_rows(due->search.k);
            golden.judged(due->id, exact(lsn, asked, nearest(due->search.vector[0], asked)));
        }
        for (const GoldenSet::Due& due : golden.fresh()) {
            const Rows found = nearest(due.search.vector[0], due.search.k);
            held = held && golden.recall(due.id, at(lsn), found) == 1;
            if (!found.empty() && found.size() == due.search.k) {
                Rows lacking(found.begin(), found.end() - 1);
                lacking.push_back({.key = "x", .distance = found.back().distance + 1});
                held = held && golden.recall(due.id, at(lsn), lacking) < 1;
            }
            ++looked_up;
        }
        REQUIRE(held);
    }
    CHECK(looked_up > 40'000);  // of 80,000: it does not evade by being stale
}

TEST_CASE("what is forgotten for room keeps no answer fresh that was judged before", "[compare]") {
    One one;
    for (std::uint64_t i = 1; i <= GoldenSet::remembered_max + 1; ++i) {
        one.golden.note({.lsn = at(100 + i), .what = upsert("far", 50)});
    }
    CHECK(one.golden.summary().fresh == 1);  // each has been looked at
    CHECK_FALSE(one.golden.judged(one.id, exact(100, 3, {{"a", 1}, {"b", 2}, {"c", 3}})));
    CHECK(one.golden.judged(one.id, exact(101, 3, {{"a", 1}, {"b", 2}, {"c", 3}})));
}

TEST_CASE("a set without searches remembers nothing, and knows it", "[compare]") {
    GoldenSet golden(10, {.table = table}, distance);
    golden.note({.lsn = at(50), .what = upsert("a", 1)});
    golden.offer(near(0), 0);
    const std::uint64_t id = golden.next_stale()->id;
    CHECK_FALSE(golden.judged(id, exact(49, 2, {{"b", 1}, {"c", 2}})));
    CHECK(golden.judged(id, exact(50, 2, {{"a", 1}, {"c", 2}})));
}

TEST_CASE("recall is what the index finds of the exact answer, ties being equal", "[compare]") {
    One one;
    CHECK(one.golden.measured(one.id, at(100), {{"a", 1}, {"x", 2}}));
    CHECK(one.golden.summary().recall == 1);
    CHECK(one.golden.measured(one.id, at(100), {{"a", 1}, {"a", 1}}));
    CHECK(one.golden.summary().recall == 0.5);  // the same row twice is one
    CHECK(one.golden.measured(one.id, at(100), {{"x", 3}, {"y", 4}}));
    CHECK(one.golden.summary().recall == 0);
    CHECK(one.golden.recall(one.id, at(100), {{"a", 1}, {"a", 1}}) == 0.5);
    CHECK(one.golden.summary().recall == 0);  // that was only asked
    CHECK_FALSE(one.golden.recall(one.id + 1, at(100), {}));
    CHECK_FALSE(one.golden.measured(one.id + 1, at(100), {}));
    one.golden.lose(at(100));
    CHECK_FALSE(one.golden.measured(one.id, at(100), {{"a", 1}, {"b", 2}}));
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
        REQUIRE(golden.judged(due->id, exact(1, 2, {{"a", 1}, {"b", 2}})));
    }
    CHECK(late > 25);  // what is searched for today has got in
    golden.set_capacity(10);
    CHECK(golden.summary().searches == 10);
    golden.set_capacity(0);
    golden.offer(near(0), 0);
    CHECK(golden.summary().searches == 0);
}

TEST_CASE("an exact answer of a search that does not get in is none", "[compare]") {
    GoldenSet golden(2, {.table = table}, distance);
    const auto offer = [&golden](std::uint64_t random) {
        golden.offer(near(0), random, exact(1, 3, {{"a", 1}, {"b", 2}, {"c", 3}}));
        return golden.summary().judged;
    };
    CHECK(offer(0) == 1);
    CHECK(offer(0) == 2);
    CHECK(offer(2) == 2);  // of three offers, two get in
    CHECK(offer(1) == 3);
    CHECK(golden.summary().searches == 2);
}

TEST_CASE("what is searched for seldom has its part of a golden set", "[compare]") {
    GoldenSet golden(60, {.table = table}, distance);
    std::uint64_t state = 7;
    for (int i = 0; i < 20'000; ++i) {
        GoldenSet::Search search = near(0);
        search.shape = i % 100 == 0 ? 2 : i % 100 == 50 ? 3 : 1;
        state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        golden.offer(search, state >> 33U);
    }
    std::map<std::uint64_t, int> of_shape;
    for (const GoldenSet::Search& search : golden.searches(60)) {
        ++of_shape[search.shape];
    }
    // Of 20,000 searches 200 were of the second shape and 200 of the third.
    CHECK(of_shape[1] >= 15);
    CHECK(of_shape[2] >= 15);
    CHECK(of_shape[3] >= 15);
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
        CHECK_FALSE(golden.judged(due->id, exact(9, 2, {})));
    }
    CHECK(places == std::vector<float>{0, 1, 2});
    golden.postpone(golden.next_stale()->id);
    CHECK(golden.next_stale()->search.vector[0] == 1);
    while (const auto due = golden.next_stale()) {
        CHECK(golden.judged(due->id, exact(10, 2, {{"a", 1}, {"b", 2}})));
    }
    const std::uint64_t first = golden.fresh().front().id;
    CHECK(golden.measured(first, at(10), {{"a", 1}}));
    CHECK(golden.fresh().back().id == first);  // the others' turn
}

TEST_CASE("few searches say less of recall than many", "[compare]") {
    const auto measured = [](std::size_t count) {
        GoldenSet golden(count, {.table = table}, distance);
        for (std::size_t i = 0; i < count; ++i) {
            golden.offer(near(0), 0);
            const std::uint64_t id = golden.next_stale()->id;
            REQUIRE(golden.judged(id, exact(1, 2, {{"a", 1}, {"b", 2}})));
            REQUIRE(golden.measured(
                id, at(1), {{"a", 1}, {i % 5 == 0 ? "x" : "b", i % 5 == 0 ? 3.0 : 2.0}}
            ));
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
