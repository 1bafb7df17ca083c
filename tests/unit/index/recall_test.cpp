#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace veer::index;
using namespace veer::index::test;

TEST_CASE("search finds 98 of 100 nearest rows at ef 100", "[index]") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine, Metric::inner_product);
    const auto rows = clustered(5000, 64, 1);
    RouteIndex index{IndexOptions{.metric = metric, .dimensions = 64}};
    index.load(entries(rows), 1);
    index.publish();
    CHECK(index.live_rows() == 5000);
    const double found = recall(index, clustered(100, 64, 2), 10, 100);
    CAPTURE(static_cast<int>(metric), found);
    CHECK(found >= 0.98);
}

TEST_CASE("Two builders build as good a graph as one", "[index]") {
    const auto rows = clustered(3000, 16, 3);
    RouteIndex index{IndexOptions{.metric = Metric::l2, .dimensions = 16}};
    index.load(entries(rows), 2);
    index.publish();
    CHECK(recall(index, clustered(100, 16, 4), 10, 100) >= 0.98);
}

TEST_CASE("Recall holds after half of the rows were replaced", "[index]") {
    const auto rows = clustered(3000, 16, 5);
    const auto other = clustered(1500, 16, 6);
    RouteIndex index{IndexOptions{.metric = Metric::cosine, .dimensions = 16}};
    index.load(entries(rows), 1);
    index.publish();
    for (std::size_t i = 0; i < other.size(); ++i) {
        REQUIRE(index.put(std::to_string(2 * i), other[i]));
        index.publish();
    }
    CHECK(index.live_rows() == 3000);
    CHECK(index.dead_slots() < 1500);  // at least one rebuild has happened
    CHECK(recall(index, clustered(100, 16, 7), 10, 100) >= 0.98);
}
