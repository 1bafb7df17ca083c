#include "router/reason_counts.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

TEST_CASE("searches are counted by route, engine and reason, the most frequent first", "[router]") {
    ReasonCounts counts;
    CHECK(counts.rows().empty());
    counts.count("", "postgres", "function");
    for (int i = 0; i < 3; ++i) {
        counts.count("docs", "veer", reason::rewrite);
    }
    using Rows = std::vector<std::vector<std::string>>;
    CHECK(
        counts.rows() == Rows{{"docs", "veer", "rewrite", "3"}, {"", "postgres", "function", "1"}}
    );
    CHECK(ReasonCounts::columns().size() == 4);
    CHECK(counts.calls("docs", "veer", reason::rewrite) == 3);
    CHECK(counts.calls("docs", "postgres", reason::rewrite) == 0);
}

TEST_CASE("when a reason was seen last is known to the look that saw it", "[router]") {
    ReasonCounts counts;
    counts.count("docs", "veer", reason::local);
    CHECK(counts.entries().front().last_ms == -1);
    counts.note_times(100);
    counts.note_times(200);  // nothing new
    CHECK(counts.entries().front().last_ms == 100);
    counts.count("docs", "veer", reason::local);
    counts.note_times(300);
    CHECK(counts.entries().front().last_ms == 300);
}

TEST_CASE("there are only so many counts of reasons", "[router]") {
    ReasonCounts counts;
    for (std::size_t i = 0; i < ReasonCounts::entries_max + 10; ++i) {
        counts.count(std::to_string(i), "postgres", reason::percent);
    }
    CHECK(counts.entries().size() == ReasonCounts::entries_max);
}

}  // namespace veer::router
