#include "router/compare/ledger.hpp"
#include "router/compare/sampling.hpp"
#include "router/compare/shape_ledger.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

namespace veer::router::compare {

namespace {

constexpr std::int64_t second = 1'000'000'000;

Mismatch comparison(Difference verdict, const std::string& route = "docs") {
    Mismatch made;
    made.route = route;
    made.judgement.verdict = verdict;
    made.judgement.judged = true;
    made.judgement.rows.at(static_cast<std::size_t>(verdict)) = 1;
    return made;
}

}  // namespace

TEST_CASE("comparisons are told apart by shape and k, within bounds", "[compare]") {
    ShapeLedger ledger;
    Mismatch one = comparison(Difference::veer_missed);
    one.shape = "select 1";
    one.answers.k = 10;
    one.judgement.recall = 0.9;
    ledger.add(one);
    one.judgement.judged = false;
    ledger.add(one);
    one.judgement.verdict = Difference::in_flight;  // excluded: of durations only
    ledger.add(one);
    REQUIRE(ledger.records().size() == 1);
    const ShapeRecord record = ledger.records().front();
    CHECK(record.k == 10);
    CHECK(record.recall.count() == 1);
    CHECK(record.pg_recall.count() == 1);
    CHECK(record.pooled_recall.count() == 1);
    CHECK(record.veer_ms.count() == 3);
    for (std::size_t k = 11; k < 100; ++k) {
        one.answers.k = k;
        ledger.add(one);
    }
    CHECK(ledger.records().size() == ShapeLedger::shapes_max);
    one.route = "another";
    ledger.add(one);
    CHECK(ledger.records().size() == ShapeLedger::shapes_max + 1);
}

TEST_CASE("a latency histogram's quantiles are a sixteenth too high at most", "[compare]") {
    LatencyHistogram histogram;
    CHECK(histogram.quantile_ms(0.5) == 0);
    for (int i = 1; i <= 10'000; ++i) {
        histogram.add(i / 100.0);  // 0.01 to 100 ms
    }
    for (const double quantile : {0.01, 0.5, 0.9, 0.99, 1.0}) {
        const double exact = 100 * quantile;
        CHECK(histogram.quantile_ms(quantile) >= exact * 0.999);
        CHECK(histogram.quantile_ms(quantile) <= exact * 17 / 16 + 0.001);
    }
    CHECK(histogram.share_up_to_ms(50) == Catch::Approx(0.5).margin(0.04));
    CHECK(histogram.share_up_to_ms(100) == 1);
    CHECK(histogram.share_up_to_ms(0.001) == 0);
}

TEST_CASE("any duration has a bucket, and histograms add up", "[compare]") {
    LatencyHistogram histogram;
    for (const double odd : {0.0, -1.0, 1e-9, 0.0159, 0.016, 1e15}) {
        histogram.add(odd);
    }
    LatencyHistogram other;
    other.add(histogram);
    other.add(histogram);
    CHECK(other.count() == 12);
    CHECK(other.max_ms() == 1e15);
    CHECK(other.quantile_ms(0.5) == histogram.quantile_ms(0.5));
}

TEST_CASE("recall is counted by hundredths, rounded down", "[compare]") {
    RecallHistogram histogram;
    CHECK(histogram.mean() == 1);
    for (const double recall : {1.0, 0.29, 0.999, 0.0}) {
        histogram.add(recall);
    }
    CHECK(histogram.counts()[100] == 1);
    CHECK(histogram.counts()[29] == 1);
    CHECK(histogram.counts()[99] == 1);
    CHECK(histogram.counts()[0] == 1);
    CHECK(histogram.mean() == Catch::Approx((1.0 + 0.29 + 0.999) / 4));
    CHECK(histogram.share_perfect() == 0.25);
    CHECK(histogram.share_below(0.5) == 0.5);
}

TEST_CASE("a search is compared once in ten minutes", "[compare]") {
    RecentSamples recent;
    CHECK(recent.enter(0.25, 0));
    CHECK_FALSE(recent.enter(0.25, 599 * second));
    CHECK(recent.enter(0.5, 599 * second));
    CHECK(recent.enter(0.25, 600 * second));
    for (std::size_t i = 0; i < RecentSamples::entries_max; ++i) {
        recent.enter(static_cast<double>(i) + 2, 600 * second);
    }
    CHECK(recent.enter(0.25, 600 * second));  // forgotten for room
}

TEST_CASE("a budget grants so many a second and saves one second's worth", "[compare]") {
    Budget budget(5);
    int granted = 0;
    for (int i = 0; i < 100; ++i) {
        granted += budget.take(second) ? 1 : 0;
    }
    CHECK(granted == 5);
    CHECK_FALSE(budget.take(second + second / 10));
    CHECK(budget.take(second + second / 5));
    granted = 0;
    for (int i = 0; i < 100; ++i) {
        granted += budget.take(100 * second) ? 1 : 0;
    }
    CHECK(granted == 5);
    CHECK_FALSE(budget.take(50 * second));  // a clock that goes back gives nothing
    Budget none(0);
    CHECK_FALSE(none.take(second));
    CHECK_FALSE(none.available(2 * second));
}

TEST_CASE("what was overdrawn is paid back first", "[compare]") {
    Budget half(0.5);  // of a core
    CHECK(half.available(second));
    half.charge(3);
    CHECK_FALSE(half.available(second));
    CHECK_FALSE(half.available(5 * second));
    CHECK(half.available(6 * second));
}

TEST_CASE("the oldest of the most frequent class makes room", "[compare]") {
    MismatchStore store(3);
    store.add(comparison(Difference::missing_row));
    store.add(comparison(Difference::veer_missed));
    for (int i = 0; i < 10; ++i) {
        store.add(comparison(Difference::pg_missed));
    }
    const auto kept = store.all();
    REQUIRE(kept.size() == 3);
    CHECK(kept[0]->judgement.verdict == Difference::missing_row);
    CHECK(kept[1]->judgement.verdict == Difference::veer_missed);
    CHECK(kept[2]->id == 12);
    CHECK(store.find(1) == kept[0]);
    CHECK(store.find(3) == nullptr);
    store.set_keep(0);
    CHECK(store.all().empty());
    CHECK(store.add(comparison(Difference::missing_row)) == 0);
}

TEST_CASE("mismatches are bounded in bytes and in age", "[compare]") {
    MismatchStore store(1'000'000);
    Mismatch large = comparison(Difference::veer_missed);
    large.vector.resize(4 << 20);
    for (int i = 0; i < 8; ++i) {
        store.add(large);
    }
    CHECK(store.all().size() < 5);
    Mismatch late = comparison(Difference::pg_missed);
    late.taken_us = MismatchStore::age_max_us + 1;
    store.add(late);
    CHECK(store.all().size() == 1);
}

TEST_CASE("a ledger counts classes, recall and latency of each route", "[compare]") {
    Ledger ledger;
    for (int i = 0; i < 100; ++i) {
        Mismatch one = comparison(i < 90 ? Difference::none : Difference::veer_missed);
        one.judgement.recall = i < 90 ? 1 : 0.9;
        one.judgement.pg_recall = 0.8;
        one.durations = {.veer = 1, .postgres = 8, .round_trip = 0.5};
        ledger.add(one);
    }
    ledger.add(comparison(Difference::in_flight));
    Mismatch pooled = comparison(Difference::pg_missed, "points");
    pooled.judgement.judged = false;
    ledger.add(pooled);
    ledger.tally("docs")->shed += 7;

    const auto records = ledger.records();
    REQUIRE(records.size() == 2);
    const RouteStatistics& docs = records[0].statistics;
    CHECK(records[0].shed == 7);
    CHECK(docs.compared == 101);
    CHECK(docs.judged == 100);
    CHECK(docs.excluded == 1);
    CHECK(docs.recall.mean() == Catch::Approx(0.99));
    CHECK(docs.pg_recall.mean() == Catch::Approx(0.8));
    CHECK(docs.count(Difference::veer_missed) == 10);
    CHECK(docs.count(Severity::equal) == 90);
    CHECK(docs.veer_ms.count() == 101 - RouteStatistics::cold_comparisons);
    CHECK(docs.postgres_ms.quantile_ms(0.5) == 8);
    CHECK(docs.excluded_share() == Catch::Approx(1.0 / 101));
    CHECK(records[1].statistics.judged == 0);
    CHECK(records[1].statistics.pooled_recall.count() == 1);
    CHECK(ledger.mismatches().size() == 11);  // excluded and equal ones are not kept
    CHECK(ledger.mismatch(1)->judgement.verdict == Difference::veer_missed);
}

TEST_CASE("a route that Postgres fails pauses alone, a lost server pauses all", "[compare]") {
    Pauses pauses;
    CHECK_FALSE(pauses.paused("a", 0));
    pauses.begin("a", 10);
    CHECK(pauses.paused("a", 10 + Pauses::length_ns - 1));
    CHECK_FALSE(pauses.paused("a", 10 + Pauses::length_ns));
    CHECK_FALSE(pauses.paused("b", 11));
    pauses.begin_for_all(20);
    CHECK(pauses.paused("b", 19 + Pauses::length_ns));
    CHECK_FALSE(pauses.paused("b", 20 + Pauses::length_ns));
}

TEST_CASE("the recall that a share of the searches does not exceed", "[compare]") {
    RecallHistogram seen;
    CHECK(seen.quantile(0.1) == 1);
    for (int i = 0; i < 100; ++i) {
        seen.add(i < 5 ? 0.5 : 1);
    }
    CHECK(seen.quantile(0.01) == 0.5);
    CHECK(seen.quantile(0.05) == 0.5);
    CHECK(seen.quantile(0.1) == 1);
}

}  // namespace veer::router::compare
