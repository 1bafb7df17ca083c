#include "router/selectivity.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

TEST_CASE("a first guess is corrected by what came", "[router]") {
    Selectivity selectivity;
    const auto first = selectivity.candidates(10, 4000);
    CHECK(first > 20);
    CHECK(first < 100);
    selectivity.note_short(1, first);
    const auto more = selectivity.candidates(10, 4000);
    CHECK(more > 4 * first);
    for (int i = 0; i < 100; ++i) {
        selectivity.note_full();
    }
    CHECK(selectivity.candidates(10, 4000) == 13);  // a reserve stays
}

TEST_CASE("conditions that keep next to nothing are given up, and tried now and then", "[router]") {
    Selectivity selectivity;
    selectivity.note_short(0, 4000);
    int tried = 0;
    for (int i = 0; i < 160; ++i) {
        const auto candidates = selectivity.candidates(10, 4000);
        CHECK((candidates == 0 || candidates == 4000));
        tried += candidates == 0 ? 0 : 1;
    }
    CHECK(tried == 10);
}

TEST_CASE("where the most may do, the most is tried", "[router]") {
    Selectivity selectivity;
    selectivity.note_short(11, 4000);
    CHECK(selectivity.candidates(10, 4000) == 4000);
}

TEST_CASE("the next round has at least twice as many candidates", "[router]") {
    CHECK(more_candidates(10, 9, 20) == 40);
    CHECK(more_candidates(10, 1, 40) > 300);
    CHECK(more_candidates(10, 0, 40) > 900);
}

}  // namespace veer::router
