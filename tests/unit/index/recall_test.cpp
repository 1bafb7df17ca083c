#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>

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
    index.settle();
    CHECK(index.dead_slots() < 1500);  // at least one rebuild has happened
    CHECK(recall(index, clustered(100, 16, 7), 10, 100) >= 0.98);
}

TEST_CASE("Codes find what vectors find, and report the same distances", "[index]") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine, Metric::inner_product);
    const auto rows = clustered(1500, 96, 1);
    const auto queries = clustered(50, 96, 2);
    RouteIndex index{
        IndexOptions{.metric = metric, .dimensions = 96, .quantization = Quantization::sq8}};
    index.load(entries(rows), 2);
    index.publish();
    const double found = recall(index, queries, 10, 100);
    CAPTURE(static_cast<int>(metric), found);
    CHECK(found >= 0.98);
    for (const Vector& query : queries) {
        const auto hits = index.search(query, 10, 100);
        REQUIRE(hits.has_value());
        for (const Hit& hit : *hits) {
            CHECK(hit.distance == index.distance(query, rows[std::stoul(hit.key)]));
        }
    }
}

TEST_CASE("Rows inserted one by one get codes once there are enough", "[index]") {
    const auto rows = clustered(1800, 32, 1);
    RouteIndex index{IndexOptions{
        .metric = Metric::cosine, .dimensions = 32, .quantization = Quantization::sq8}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        REQUIRE(index.put(std::to_string(i), rows[i]));
    }
    index.publish();
    CHECK(recall(index, clustered(100, 32, 2), 10, 100) >= 0.98);
}

TEST_CASE("Rows that are nothing like those the codes were learnt from are found", "[index]") {
    const auto rows = clustered(1500, 32, 1);
    auto other = clustered(1500, 32, 2);
    for (Vector& row : other) {
        for (float& x : row) {
            x = 50 + 3 * x;
        }
    }
    RouteIndex index{
        IndexOptions{.metric = Metric::l2, .dimensions = 32, .quantization = Quantization::sq8}};
    index.load(entries(rows), 1);
    index.load(entries(other, rows.size()), 1);
    index.publish();
    const std::vector<Vector> queries{other.begin(), other.begin() + 100};
    CHECK(recall(index, queries, 10, 100) >= 0.98);
}

TEST_CASE("Codes too coarse for their vectors are not used unless asked for", "[index]") {
    // Nearly all of each vector is one dimension, in which all differ; the others decide nothing
    // that a byte could show. Walking over codes would be blind among rows that share it.
    auto rows = clustered(1500, 256, 1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i][0] = 1e5F * static_cast<float>(i % 3);
    }
    auto queries = clustered(50, 256, 2);
    for (std::size_t i = 0; i < queries.size(); ++i) {
        queries[i][0] = 1e5F * static_cast<float>(i % 3);
    }
    RouteIndex index{IndexOptions{.metric = Metric::l2, .dimensions = 256}};
    index.load(entries(rows), 1);
    index.publish();
    CHECK(recall(index, queries, 10, 100) >= 0.95);
}

namespace {

/// Of a model whose vectors lie together, far from those of others: codes about another centre do
/// not tell them apart.
std::vector<Vector> far_and_close(std::size_t count, std::size_t dimensions, std::uint64_t seed) {
    auto vectors = clustered(count, dimensions, seed);
    for (Vector& vector : vectors) {
        std::transform(vector.begin(), vector.end(), vector.begin(), [](float x) {
            return 50 + 0.02F * x;
        });
    }
    return vectors;
}

}  // namespace

TEST_CASE("Codes that later rows prove too coarse are given up", "[index]") {
    constexpr std::size_t dimensions = 256;
    const auto rows = clustered(1100, dimensions, 1);
    const auto later = far_and_close(1500, dimensions, 2);
    const auto queries = far_and_close(50, dimensions, 3);
    const IndexOptions options{.dimensions = dimensions, .m = 8, .ef_construction = 24};
    RouteIndex index{options};
    index.load(entries(rows), 1);
    index.publish();
    REQUIRE(recall(index, clustered(50, dimensions, 4), 10, 100) >= 0.95);

    SECTION("row by row") {
        for (std::size_t i = 0; i < later.size(); ++i) {
            REQUIRE(index.put(std::to_string(rows.size() + i), later[i]));
            if (i % 50 == 0) {
                index.publish();
            }
        }
        index.publish();
    }
    SECTION("as a load") {
        index.load(entries(later, rows.size()), 1);
        index.publish();
    }
    index.settle();
    CHECK(index.rebuilds() > 0);
    CHECK(recall(index, queries, 10, 100) >= 0.95);
    CHECK(recall(index, clustered(50, dimensions, 4), 10, 100) >= 0.95);
    CHECK(index.upkeep_trouble().empty());
}

TEST_CASE("Codes about a centre that has moved on are made anew", "[index]") {
    constexpr std::size_t dimensions = 256;
    const auto rows = clustered(1100, dimensions, 1);
    const auto later = far_and_close(1800, dimensions, 2);
    RouteIndex index{IndexOptions{.dimensions = dimensions, .m = 8, .ef_construction = 24}};
    index.load(entries(rows), 1);
    index.publish();
    for (std::size_t i = 0; i < later.size(); ++i) {
        REQUIRE(index.put(std::to_string(i), later[i]));  // most take another's place
        if (i % 50 == 0) {
            index.publish();
        }
    }
    index.publish();
    index.settle();
    CHECK(recall(index, far_and_close(50, dimensions, 3), 10, 100) >= 0.95);
}

TEST_CASE("Each row is found where it is, however far apart clusters are", "[index]") {
    // What is linked to another cluster than a search comes to, no ef would find.
    constexpr std::size_t clusters = 40;
    const auto centres = clustered(clusters, 16, 8);
    auto rows = clustered(9000, 16, 9);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::transform(
            rows[i].begin(),
            rows[i].end(),
            centres[i % clusters].begin(),
            rows[i].begin(),
            [](float own, float centre) { return 100 * centre + own; }
        );
    }
    RouteIndex index{IndexOptions{.metric = Metric::l2, .dimensions = 16, .m = 6}};
    index.load(entries(rows), 1);
    index.publish();
    std::size_t missed = 0;
    for (std::size_t i = 0; i < rows.size(); i += 3) {
        const auto hits = index.search(rows[i], 1, 40);
        REQUIRE(hits.has_value());
        missed += hits->front().key != std::to_string(i) ? 1U : 0U;
    }
    CHECK(missed == 0);
}
