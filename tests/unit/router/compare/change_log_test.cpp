#include "router/compare/change_log.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::compare {

namespace {

constexpr storage::TableOid docs{7};
constexpr storage::TableOid other{8};

storage::Transaction upsert(std::uint64_t lsn, std::uint32_t xid, const std::string& key) {
    storage::Transaction transaction;
    transaction.end_lsn = {lsn};
    transaction.xid = xid;
    transaction.changes.emplace_back(storage::Upsert{
        .table = docs, .old_key = {}, .row = {.key = key, .vectors = {}}});
    return transaction;
}

PgSnapshot snapshot(std::string_view text) {
    const auto parsed = PgSnapshot::parse(text);
    REQUIRE(parsed);
    return *parsed;
}

Window window(std::uint64_t before, std::uint64_t after) {
    return {.before = {before}, .after = {after}};
}

}  // namespace

TEST_CASE("a snapshot sees what had ended when it was taken", "[compare]") {
    const PgSnapshot some = snapshot("100:110:103,107");
    CHECK(some.sees(99));
    CHECK(some.sees(101));
    CHECK_FALSE(some.sees(103));
    CHECK_FALSE(some.sees(107));
    CHECK_FALSE(some.sees(110));
    CHECK(snapshot("5:5:").sees(4));
    const PgSnapshot wrapped = snapshot("4294967298:4294967300:");  // 2^32 + 2 to + 4
    CHECK(wrapped.sees(1));
    CHECK(wrapped.sees(4'294'967'295));
    CHECK(wrapped.sees(3));
    CHECK_FALSE(wrapped.sees(4));
    for (const std::string_view bad : {"", "1", "1:2", "a:b:", "1:2:x", "1:2:3;4", "1:2:3:4"}) {
        CHECK_FALSE(PgSnapshot::parse(bad));
    }
}

TEST_CASE("rows that one side may have seen and the other not", "[compare]") {
    ChangeLog log;
    log.keep(true, 0);
    log.note(upsert(10, 100, "seen by both"), 0);
    log.note(upsert(20, 103, "committing: applied, not visible"), 0);
    log.note(upsert(30, 101, "visible, applied too late"), 0);
    log.note(upsert(40, 110, "seen by neither"), 0);
    const Changed changed = log.between(docs, window(20, 30), snapshot("101:105:103"));
    CHECK(changed.complete);
    CHECK(
        changed.keys ==
        std::unordered_set<std::string>{
            "committing: applied, not visible", "visible, applied too late"}
    );
    CHECK(log.between(other, window(20, 30), snapshot("101:105:103")).keys.empty());
    CHECK(log.noted() == storage::Lsn{40});
}

TEST_CASE("an old key has changed, too, and so has a deleted row", "[compare]") {
    ChangeLog log;
    log.keep(true, 0);
    storage::Transaction transaction = upsert(10, 100, "new");
    std::get<storage::Upsert>(transaction.changes[0]).old_key = "old";
    transaction.changes.emplace_back(storage::Delete{.table = docs, .key = "gone"});
    log.note(transaction, 0);
    const Changed changed = log.between(docs, window(5, 20), snapshot("200:200:"));
    CHECK(changed.keys == std::unordered_set<std::string>{"new", "old", "gone"});
}

TEST_CASE("what is not known any more is said to be unknown", "[compare]") {
    const PgSnapshot all = snapshot("1000:1000:");
    ChangeLog log;
    log.note(upsert(10, 100, "while off"), 0);
    log.keep(true, 0);
    CHECK_FALSE(log.between(docs, window(5, 20), all).covered);
    CHECK(log.between(docs, window(10, 20), all).covered);

    storage::Transaction truncate;
    truncate.end_lsn = {30};
    truncate.xid = 101;
    truncate.changes.emplace_back(storage::Truncate{.tables = {docs}});
    log.note(truncate, 0);
    CHECK_FALSE(log.between(docs, window(20, 40), all).complete);
    CHECK(log.between(other, window(20, 40), all).complete);
    CHECK(log.between(docs, window(30, 40), all).complete);

    log.restart({50}, 0);
    CHECK_FALSE(log.between(docs, window(40, 60), all).covered);
    CHECK(log.between(docs, window(50, 60), all).covered);
}

TEST_CASE("the log knows since when it is whole", "[compare]") {
    const PgSnapshot all = snapshot("1000:1000:");
    ChangeLog log;
    const auto covers = [&](std::int64_t since_ns) {
        Window wanted = window(log.known_from().value, 1'000'000);
        wanted.since_ns = since_ns;
        return log.between(docs, wanted, all).covered;
    };
    CHECK_FALSE(covers(1'000));  // it has never been on
    log.keep(true, 500);
    CHECK_FALSE(covers(499));
    CHECK(covers(500));
    log.restart({50}, 900);
    CHECK_FALSE(covers(899));
    CHECK(covers(900));
    // Two thousand changes a second, which it holds for less than a minute.
    for (std::uint64_t i = 0; i < 2 * ChangeLog::entries_max; ++i) {
        log.note(upsert(100 + i, 100, std::to_string(i)), 1'000 + static_cast<std::int64_t>(i));
    }
    const auto newest = static_cast<std::int64_t>(1'000 + 2 * ChangeLog::entries_max);
    CHECK_FALSE(covers(1'000));
    CHECK(covers(newest));
    CHECK(covers(newest - static_cast<std::int64_t>(ChangeLog::entries_max / 4)));
}

TEST_CASE("the log is bounded, and knows from where on", "[compare]") {
    ChangeLog log;
    log.keep(true, 0);
    const std::string key(1000, 'k');
    for (std::uint64_t i = 1; i <= 20'000; ++i) {
        log.note(upsert(i, 100, key + std::to_string(i)), 0);
    }
    const PgSnapshot all = snapshot("1000:1000:");
    CHECK_FALSE(log.between(docs, window(1, 20'000), all).covered);
    const Changed last = log.between(docs, window(19'999, 20'000), all);
    CHECK(last.covered);
    CHECK(last.keys == std::unordered_set<std::string>{key + "20000"});
}

}  // namespace veer::router::compare
