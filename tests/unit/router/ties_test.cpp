#include "router/ties.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

namespace veer::router {

namespace {

std::size_t closed(const std::vector<double>& distances, std::uint64_t asked) {
    std::vector<index::Hit> hits;
    hits.reserve(distances.size());
    for (const double distance : distances) {
        hits.push_back({.key = "k", .distance = distance});
    }
    return rows_without_open_tie(hits, asked);
}

}  // namespace

TEST_CASE("rows at the last distance may have more of their kind behind them", "[router]") {
    CHECK(closed({.1, .2, .2, .3, .4, .4, .4}, 7) == 4);
    CHECK(closed({.1, .2, .3}, 3) == 2);
    CHECK(closed({.5, .5, .5}, 3) == 0);
    CHECK(closed({}, 3) == 0);
}

TEST_CASE("where all rows were found nothing is behind them", "[router]") {
    CHECK(closed({.5, .5, .5}, 4) == 3);
}

TEST_CASE("distances that another processor may find equal count as equal", "[router]") {
    CHECK(closed({.1, .4, .4 + 1e-8}, 3) == 1);
    CHECK(closed({.1, 1e6, 1e6 + .5}, 3) == 1);
    CHECK(closed({-5, -4, -4 + 1e-7}, 3) == 1);
}

}  // namespace veer::router
