#include "index/settled.hpp"

#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <random>
#include <vector>

using namespace veer::index;
using namespace veer::index::test;

TEST_CASE(
    "A walk is settled where what is left is twice as far as the last one wanted", "[index]"
) {
    std::vector<float> memory{7};
    Settled settled{Metric::l2, 3, memory};
    for (const float distance : {5.0F, 1.0F}) {
        settled.found(distance);
        CHECK_FALSE(settled(1000));  // one is missing
    }
    settled.found(4);
    CHECK(settled(10.5F));
    CHECK_FALSE(settled(10));
    settled.found(2);
    CHECK(settled(8.5F));
    CHECK_FALSE(settled(8));
    settled.found(6);
    CHECK(settled(8.5F));
}

TEST_CASE("Where no factor tells who is far, no walk is settled", "[index]") {
    std::vector<float> memory;
    for (const Metric metric : {Metric::inner_product, Metric::l1, Metric::jaccard}) {
        Settled settled{metric, 1, memory};
        settled.found(1);
        CHECK_FALSE(settled(100));
    }
    Settled settled{Metric::cosine, 1, memory};
    settled.found(0);  // a row that is the query
    CHECK_FALSE(settled(1));
    settled.found(-1e-7F);
    CHECK_FALSE(settled(1));
}

TEST_CASE("A search among few that are near does not visit all of its ef", "[index]") {
    constexpr std::size_t near = 40;
    constexpr std::size_t far = 4000;
    std::mt19937 random{1};
    std::uniform_real_distribution<float> beside{-0.1F, 0.1F};
    std::vector<Vector> rows;
    for (std::size_t i = 0; i < near + far; ++i) {
        Vector row(8);
        for (float& value : row) {
            value = (i < near ? 0.0F : 10.0F) + beside(random) * (i < near ? 1.0F : 10.0F);
        }
        rows.push_back(row);
    }
    RouteIndex index{IndexOptions{.metric = Metric::l2, .dimensions = 8}};
    index.load(entries(rows), 1);
    index.publish();
    index.settle();
    const Vector query(8, 0.01F);
    const SearchLimits limits{.visits_max = 1200};  // 200 do; all of ef takes 1800
    const auto found = index.search(query, 10, 400, limits);
    REQUIRE(found.has_value());
    CHECK(found->size() == 10);
    CHECK(keys(found) == keys(index.search_exact(query, 10)));
    // Where more are wanted than are near, it does.
    CHECK(index.search(query, near + 1, 400, limits).error() == Errc::too_many_visits);
}
