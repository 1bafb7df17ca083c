#include "router/compare/report.hpp"

#include "router/compare/relations.hpp"
#include "router/cutover/evidence.hpp"
#include "router/cutover/rules.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace veer::router::compare {

namespace {

Report report_of(int judged, double recall, double pg_recall) {
    Ledger ledger;
    for (int i = 0; i < judged; ++i) {
        Mismatch one;
        one.route = "public.docs.e <=>";
        one.shape = "SELECT secret";
        one.vector = {0.98765F};
        one.judgement.judged = true;
        one.answers.k = 10;
        one.judgement.recall = recall;
        one.judgement.pg_recall = pg_recall;
        one.judgement.verdict = recall < 1 ? Difference::veer_missed : Difference::none;
        one.judgement.rows.at(static_cast<std::size_t>(one.judgement.verdict)) = 1;
        one.durations = {.veer = 0.5 + i % 7, .postgres = 3.0 + i % 50, .round_trip = 0.2};
        one.answers.postgres = {{"key-of-a-row", 1}};
        ledger.add(one);
    }
    ledger.tally("<script>alert(1)</script> \"quoted\"");
    Report report;
    report.version = "1";
    report.taken_us = 1'777'904'527'114'000;
    report.routes = ledger.records();
    report.mismatches = ledger.mismatches();
    report.shapes = ledger.shapes();
    return report;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

}  // namespace

TEST_CASE("a report passes, fails or says that it does not know", "[compare]") {
    CHECK(exit_code(report_of(300, 1, 0.93)) == 0);
    CHECK(exit_code(report_of(300, 0.9, 0.89)) == 1);  // below the target
    CHECK(exit_code(report_of(300, 0.985, 1)) == 1);   // below pgvector
    CHECK(exit_code(report_of(100, 0.5, 1)) == 2);     // too few to say
    CHECK(exit_code(report_of(0, 1, 1)) == 2);
    Report wrong = report_of(300, 1, 1);
    wrong.routes.back().statistics.compared += 1;
    wrong.routes.back().statistics.verdicts[0] = 1;  // one is too many, however few there are
    CHECK(exit_code(wrong) == 1);
}

TEST_CASE("a report in words", "[compare]") {
    const std::string text = report_text(report_of(300, 0.99, 0.95));
    CHECK(text.find("public.docs.e <=>: pass.") == 0);
    CHECK(text.find("recall 0.9900, pgvector 0.9500") != std::string::npos);
    CHECK(text.find("veer_missed 300") != std::string::npos);
    CHECK(text.find("neighbours missed 30, pgvector 150") != std::string::npos);
    CHECK(text.find("veer mismatch 101, veer replay 101") != std::string::npos);
    CHECK(report_text(report_of(0, 1, 1)) == "Nothing has been compared yet.\n");
}

TEST_CASE("a page that needs nothing from elsewhere", "[compare]") {
    Report report = report_of(300, 0.99, 0.95);
    report.routes.front().statistics.compared = 1;  // the name with markup in it is shown, too
    const std::string html = report_html(report);
    CHECK(count(html, "<svg") == 6);
    CHECK(count(html, "<svg") == count(html, "</svg>"));
    CHECK(count(html, "<table>") == count(html, "</table>"));
    CHECK(count(html, "by neighbours missed") == 1);
    CHECK(html.find("<script") == std::string::npos);
    CHECK(html.find("http") == std::string::npos);
    CHECK(html.find("nan") == std::string::npos);
    CHECK(html.find("inf") == std::string::npos);
}

TEST_CASE("no report holds a key, a vector or a statement", "[compare]") {
    const Report report = report_of(300, 0.99, 0.95);
    for (const std::string& text :
         {report_text(report), report_json(report), report_html(report)}) {
        CHECK(text.find("key-of-a-row") == std::string::npos);
        CHECK(text.find("98765") == std::string::npos);
        CHECK(text.find("secret") == std::string::npos);
    }
}

TEST_CASE("JSON with balanced brackets, escapes and a hundred and one counters", "[compare]") {
    const std::string json = report_json(report_of(300, 0.99, 0.95));
    CHECK(count(json, "{") == count(json, "}"));
    CHECK(count(json, "[") == count(json, "]"));
    CHECK(json.find(R"(\"quoted\")") != std::string::npos);
    CHECK(json.find(R"("veer_missed":300)") != std::string::npos);
    CHECK(
        json.find(R"("shapes":[{"route":"public.docs.e <=>","fingerprint":")") != std::string::npos
    );
    CHECK(json.find(",,") == std::string::npos);
    CHECK(json.find("{,") == std::string::npos);
    CHECK(json.find(R"("taken":"2026-05-04T14:22:07.114Z")") != std::string::npos);
}

TEST_CASE("relations have as many fields as columns", "[compare]") {
    const Report report = report_of(30, 0.9, 1);
    for (const auto& row : compare_rows(report.routes)) {
        CHECK(row.size() == compare_columns().size());
    }
    const auto mismatches = mismatch_rows(report.mismatches);
    REQUIRE(mismatches.size() == 30);
    CHECK(mismatches.front().size() == mismatch_columns().size());
    CHECK(mismatches.front()[0] == "30");
    CHECK(fingerprint("a") != fingerprint("b"));
    CHECK(fingerprint("a") == cutover::shape_text(cutover::shape_id("a")));  // as rules name it
}

}  // namespace veer::router::compare
