#include "router/compare/recent.hpp"

#include "router/compare/relations.hpp"
#include "router/compare/report.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::compare {

namespace {

constexpr std::int64_t second = 1'000'000;

Mismatch taken_at(std::int64_t taken_us, double recall) {
    Mismatch made;
    made.route = "docs";
    made.taken_us = taken_us;
    made.judgement.judged = true;
    made.judgement.recall = recall;
    made.judgement.verdict = recall < 1 ? Difference::veer_missed : Difference::none;
    made.judgement.rows.at(static_cast<std::size_t>(made.judgement.verdict)) = 1;
    made.durations = {.veer = 1, .postgres = 2};
    return made;
}

}  // namespace

TEST_CASE("a report of a while holds what was compared then, and nothing before", "[compare]") {
    Ledger ledger;
    for (int i = 0; i < 100; ++i) {
        ledger.add(taken_at(i * second, i < 50 ? 0.5 : 1));
    }
    const auto all = ledger.records_since(0);
    REQUIRE(all.size() == 1);
    CHECK(all[0].statistics.compared == 100);
    CHECK(all[0].statistics.veer_ms.count() == 100 - RouteStatistics::cold_comparisons);
    const auto late = ledger.records_since(50 * second);
    REQUIRE(late.size() == 1);
    CHECK(late[0].statistics.compared == 50);
    CHECK(late[0].statistics.recall.mean() == 1);
    CHECK(late[0].statistics.veer_ms.count() == 50);  // none of them was cold
    CHECK(late[0].since_us == 50 * second);
    CHECK(ledger.records_since(100 * second).empty());
    CHECK(report_since(ledger, 40 * second).mismatches.size() == 10);
    CHECK(report_of(ledger).mismatches.size() == 50);
}

TEST_CASE("a report asks for what it is told to", "[compare]") {
    Ledger ledger;
    for (int i = 0; i < 300; ++i) {
        ledger.add(taken_at(i * second, 0.99));
    }
    CHECK(exit_code(report_of(ledger)) == 0);
    ledger.set_targets({.recall = 0.995, .pg_margin = 0.1});
    CHECK(exit_code(report_of(ledger)) == 1);
}

TEST_CASE("of what was forgotten a report says since when it is whole", "[compare]") {
    RecentComparisons recent;
    for (std::size_t i = 0; i < RecentComparisons::kept_max + 5; ++i) {
        recent.add(
            {.taken_us = static_cast<std::int64_t>(i) * second,
             .route = "docs",
             .judgement = {},
             .durations = {},
             .applied = {}}
        );
    }
    CHECK(recent.since(0)["docs"].compared == RecentComparisons::kept_max);
    CHECK(recent.complete_from_us() == 4 * second + 1);
}

TEST_CASE("a relation of a report may be of a while", "[compare]") {
    Ledger ledger;
    ledger.add(taken_at(*parse_time("2026-05-04T14:00:00Z"), 1));
    const auto shown = [&ledger](const char* name) {
        const auto found = relation(ledger, name);
        return found ? found->rows.front().front() : std::string("none");
    };
    CHECK(shown("report since 2026-05-04t13:00:00z").starts_with("docs"));
    CHECK(shown("report since 2026-05-04t15:00:00z") == "Nothing has been compared yet.");
    CHECK(shown("report_json since 2026-05-04t13:00:00z").find("since") != std::string::npos);
    CHECK(shown("report since yesterday") == "none");
    CHECK(shown("reports") == "none");
}

TEST_CASE("a time is read as it is written", "[compare]") {
    for (const std::int64_t us : {std::int64_t{0}, 1'777'904'527'114'000, 951'782'400'999'000}) {
        CHECK(parse_time(time_text(us)) == us);
    }
    CHECK(parse_time("1970-01-01t00:00:01z") == second);
    for (const auto* text :
         {"",
          "2026-05-04",
          "2026-05-04T14:22:07",
          "2026-02-30T00:00:00Z",
          "2026-05-04T24:00:00Z",
          "2026-05-04T14:22:07+02",
          "2026-05-04T14:22:07.1",
          "2026-05-04T14:22:07.1ZZ"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(text));
    }
}

}  // namespace veer::router::compare
