#include "proxy/evidence.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer;
using router::compare::Difference;

namespace {

router::compare::Mismatch comparison(Difference verdict, bool judged) {
    router::compare::Mismatch made;
    made.shape = "SELECT 1";
    made.durations = {.veer = 0.2, .postgres = 1.5, .round_trip = 0.5};
    made.judgement.verdict = verdict;
    made.judgement.judged = judged;
    made.judgement.recall = 0.9;
    made.judgement.pg_recall = 0.8;
    return made;
}

}  // namespace

TEST_CASE("a judged comparison is evidence of both engines' recall", "[evidence]") {
    const auto evidence = proxy::to_evidence(comparison(Difference::veer_missed, true));
    CHECK(evidence.recall == 0.9);
    CHECK(evidence.postgres_recall == 0.8);
    CHECK_FALSE(evidence.recall_at_most);
    CHECK(evidence.veer_ms == 0.2);
    CHECK(evidence.postgres_ms == 1.0);
    CHECK(evidence.shape == router::cutover::shape_id("SELECT 1"));
    CHECK_FALSE(evidence.hard);
    CHECK_FALSE(evidence.excluded);
}

TEST_CASE("without the exact answer a recall is only an upper bound", "[evidence]") {
    const auto evidence = proxy::to_evidence(comparison(Difference::none, false));
    CHECK_FALSE(evidence.recall);
    CHECK_FALSE(evidence.postgres_recall);
    CHECK(evidence.recall_at_most == 0.9);
}

TEST_CASE("hard differences and excluded comparisons are told as such", "[evidence]") {
    using router::cutover::HardDifference;
    CHECK(
        proxy::to_evidence(comparison(Difference::missing_row, true)).hard ==
        HardDifference::missing_row
    );
    CHECK(
        proxy::to_evidence(comparison(Difference::unsorted, true)).hard == HardDifference::unsorted
    );
    CHECK(proxy::to_evidence(comparison(Difference::in_flight, true)).excluded);
    CHECK_FALSE(proxy::to_evidence(comparison(Difference::pg_missed, true)).hard);
}

TEST_CASE("the exact answer of a comparison is one for a golden set", "[evidence]") {
    auto made = comparison(Difference::none, true);
    CHECK_FALSE(proxy::exact_of(made));  // nobody judged
    made.answers.k = 10;
    made.applied = storage::Lsn{77};
    made.answers.exact = router::compare::Rows{{"a", 1}};
    const auto exact = proxy::exact_of(made);
    REQUIRE(exact);
    CHECK(exact->as_of == storage::Lsn{77});
    CHECK(exact->asked == router::compare::exact_rows(10));
    CHECK(exact->rows.size() == 1);
}
