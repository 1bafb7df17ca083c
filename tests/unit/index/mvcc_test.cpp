#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/readers.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <set>

using namespace veer::index;
using namespace veer::index::test;

TEST_CASE("An open transaction is invisible until it is published", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 2}};
    REQUIRE(index.put("old", Vector{1, 0}));
    CHECK(index.search(Vector{0, 0}, 10, 40)->empty());
    index.publish();
    REQUIRE(index.put("new", Vector{0, 0}));
    index.erase("old");
    CHECK(keys(index.search(Vector{0, 0}, 10, 40)) == std::vector<std::string>{"old"});
    CHECK(keys(index.search_exact(Vector{0, 0}, 10)) == std::vector<std::string>{"old"});
    CHECK(index.live_rows() == 1);
    index.publish();
    CHECK(keys(index.search(Vector{0, 0}, 10, 40)) == std::vector<std::string>{"new"});
}

TEST_CASE("A row born and gone in one transaction was never there", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 2}};
    REQUIRE(index.put("a", Vector{1, 0}));
    REQUIRE(index.put("a", Vector{2, 0}));
    REQUIRE(index.put("b", Vector{3, 0}));
    index.erase("b");
    index.publish();
    const auto hits = index.search(Vector{0, 0}, 10, 40);
    REQUIRE(hits->size() == 1);
    CHECK(hits->at(0).distance == 2);
}

TEST_CASE("No search sees half a transaction", "[index]") {
    // Rows "left" and "right" are always at the same height; every transaction moves both. Rows of
    // no interest on either side force growth, walks and rebuilds.
    RouteIndex index{IndexOptions{.dimensions = 2}};
    const auto height = [](std::size_t i) {
        return static_cast<float>(45 + i % 11);
    };
    const auto aside = [](std::size_t i) {
        const float x = 7 + static_cast<float>(i / 2 % 40);
        return Vector{i % 2 == 0 ? x : -x, static_cast<float>(i * 37 % 101)};
    };
    REQUIRE(index.put("left", Vector{-1, height(0)}));
    REQUIRE(index.put("right", Vector{1, height(0)}));
    index.publish();
    Readers readers{2, [&](std::size_t round) {
                        const auto found = round % 4 == 0 ? index.search_exact(Vector{0, 50}, 2)
                                                          : index.search(Vector{0, 50}, 2, 60);
                        return found && found->size() == 2 &&
                               found->at(0).key != found->at(1).key &&
                               found->at(0).distance == found->at(1).distance;
                    }};
    for (std::size_t i = 1; i < 1300; ++i) {
        REQUIRE(index.put("left", Vector{-1, height(i)}));
        REQUIRE(index.put("aside " + std::to_string(i), aside(i)));
        REQUIRE(index.put("right", Vector{1, height(i)}));
        index.publish();
    }
    readers.wait_for_searches(100);
    readers.join();
    CHECK(readers.wrong == 0);
}

TEST_CASE("Searches go on while the index grows, over vectors and when codes come", "[index]") {
    const Quantization quantization = GENERATE(Quantization::none, Quantization::sq8);
    RouteIndex index{IndexOptions{.dimensions = 8, .quantization = quantization}};
    const auto rows = clustered(4000, 8, 1);
    index.load(entries({rows.begin(), rows.begin() + 500}), 1);
    index.publish();
    Readers readers{2, [&](std::size_t round) {
                        const std::uint64_t live = index.live_rows();
                        const auto found = index.search(rows[round % 500], 10, 40);
                        return live >= 500 && found && found->size() == 10 &&
                               found->at(0).distance == 0;
                    }};
    for (std::size_t i = 500; i < rows.size(); ++i) {
        REQUIRE(index.put(std::to_string(i), rows[i]));
        if (i % 10 == 0) {
            index.publish();
        }
    }
    index.publish();
    readers.wait_for_searches(100);
    readers.join();
    CHECK(readers.wrong == 0);
    CHECK(index.live_rows() == 4000);
    CHECK(recall(index, clustered(50, 8, 2), 10, 100) >= 0.98);
}

TEST_CASE("Two builders load while others search", "[index]") {
    RouteIndex index{
        IndexOptions{.metric = Metric::cosine, .dimensions = 8, .quantization = Quantization::sq8}};
    const auto rows = clustered(4000, 8, 3);
    index.load(entries({rows.begin(), rows.begin() + 1000}), 2);
    index.publish();
    Readers readers{2, [&](std::size_t round) {
                        const auto found = index.search(rows[round % 1000], 5, 40);
                        return found && found->size() == 5;
                    }};
    for (std::size_t first = 1000; first < rows.size(); first += 1000) {
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
        const std::vector<Vector> batch{begin, begin + 1000};
        index.load(entries(batch, first), 2);
        index.publish();
    }
    readers.wait_for_searches(100);
    readers.join();
    CHECK(readers.wrong == 0);
    CHECK(recall(index, clustered(50, 8, 4), 10, 100) >= 0.98);
}
