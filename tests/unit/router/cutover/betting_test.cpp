#include "router/cutover/betting.hpp"

#include "tests/unit/router/cutover/simulated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace veer::router::cutover {

namespace {

constexpr double confidence = 0.99;
constexpr int looks = 20'000;

/// How many values it takes until the evidence is enough; `looks` + 1 where it never is.
int looks_until_passed(Simulated values, double m) {
    Bet bet(m);
    const double needed = log_evidence_needed(confidence);
    for (int look = 1; look <= looks; ++look) {
        bet.add(values.next_bin());
        // The mean over the stakes is below the best of them: most looks need no more than that.
        if (bet.best() >= needed && bet.log_evidence() >= needed) {
            return look;
        }
    }
    return looks + 1;
}

std::vector<int> passes(int runs, Simulated::Kind kind, double target, double truth) {
    std::vector<int> taken;
    taken.reserve(static_cast<std::size_t>(runs));
    for (int run = 0; run < runs; ++run) {
        taken.push_back(
            looks_until_passed(Simulated(static_cast<std::uint64_t>(run), kind, truth), target)
        );
    }
    std::sort(taken.begin(), taken.end());
    return taken;
}

Histogram seen(std::uint64_t seed, double mean, int count) {
    Simulated values(seed, Simulated::Kind::hard_queries, mean);
    Histogram histogram;
    for (int i = 0; i < count; ++i) {
        histogram.add(values.next_bin());
    }
    return histogram;
}

}  // namespace

TEST_CASE(
    "a bet at a true value equal to the target passes in at most 1 % of 20,000 looks each",
    "[cutover]"
) {
    constexpr int runs = 200;
    for (const double target : {0.95, 0.98}) {
        const auto taken = passes(runs, Simulated::Kind::hard_queries, target, target);
        const auto passed =
            std::count_if(taken.begin(), taken.end(), [](int n) { return n <= looks; });
        WARN(
            passed << " of " << runs << " sequences passed at a true recall of " << target
                   << ", the target, in " << looks << " looks each"
        );
        CHECK(passed <= runs / 100);
    }
}

TEST_CASE("a bet on a good index is won after some hundred looks", "[cutover]") {
    const auto at_995 = passes(101, Simulated::Kind::hard_queries, 0.98, 0.995);
    CHECK(at_995[50] <= 600);
    CHECK(at_995[90] <= 700);
    CHECK(passes(101, Simulated::Kind::hard_queries, 0.95, 0.995)[50] <= 200);
    CHECK(passes(51, Simulated::Kind::hard_queries, 0.95, 0.96)[25] <= 2500);
}

TEST_CASE("evidence is a function of the histogram alone", "[cutover]") {
    Simulated values(7, Simulated::Kind::everywhere, 0.97);
    Bet bet(0.95);
    Histogram histogram;
    Histogram halves[2];
    for (int i = 0; i < 1000; ++i) {
        const std::size_t bin = values.next_bin();
        bet.add(bin);
        histogram.add(bin);
        halves[i % 2].add(bin);
    }
    halves[0].add(halves[1]);
    CHECK(halves[0] == histogram);
    CHECK(std::abs(bet.log_evidence() - log_evidence(histogram, 0.95)) < 1e-6);
    const auto read = histogram_from_text(to_text(histogram));
    REQUIRE(read);
    CHECK(log_evidence(*read, 0.95) == log_evidence(histogram, 0.95));
}

TEST_CASE("bounds lie on both sides of the mean and close in on it", "[cutover]") {
    const Histogram few = seen(3, 0.97, 200);
    const Histogram many = seen(3, 0.97, 20'000);
    CHECK(lower_bound(few, confidence) < lower_bound(many, confidence));
    CHECK(upper_bound(few, confidence) > upper_bound(many, confidence));
    CHECK(lower_bound(many, confidence) < many.mean());
    CHECK(upper_bound(many, confidence) > many.mean());
    CHECK(lower_bound(many, confidence) > 0.96);
    CHECK(lower_bound(Histogram(), confidence) == 0);
    CHECK(upper_bound(Histogram(), confidence) == 1);
}

TEST_CASE("how many more looks are needed is about what it then takes", "[cutover]") {
    const auto more = more_needed(seen(5, 0.995, 100), 0.98, confidence);
    REQUIRE(more);
    CHECK(*more > 100);
    CHECK(*more < 2000);
    CHECK(more_needed(seen(5, 0.995, 5000), 0.98, confidence) == 0);
    CHECK_FALSE(more_needed(seen(5, 0.95, 5000), 0.98, confidence));
    CHECK_FALSE(more_needed(Histogram(), 0.98, confidence));
}

TEST_CASE("a histogram rounds towards care", "[cutover]") {
    using Rounding = Histogram::Rounding;
    CHECK(Histogram::bin_of(0.29, Rounding::down) == 29);
    CHECK(Histogram::bin_of(0.29, Rounding::up) == 29);
    CHECK(Histogram::bin_of(0.999, Rounding::down) == 99);
    CHECK(Histogram::bin_of(0.991, Rounding::up) == 100);
    CHECK(Histogram::bin_of(-3, Rounding::up) == 0);
    CHECK(Histogram::bin_of(7, Rounding::down) == 100);
    CHECK(Histogram::bin_of(std::nan(""), Rounding::down) == 0);
    CHECK(Histogram::bin_of(std::nan(""), Rounding::up) == 100);
    CHECK_FALSE(histogram_from_text("101:1"));
    CHECK_FALSE(histogram_from_text("5"));
    CHECK_FALSE(histogram_from_text("5:x"));
    CHECK_FALSE(histogram_from_text("5:1,"));
}

}  // namespace veer::router::cutover
