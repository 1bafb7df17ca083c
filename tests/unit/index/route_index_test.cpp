#include "index/route_index.hpp"

#include "index/segment.hpp"
#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <filesystem>
#include <limits>

using namespace veer::index;
using namespace veer::index::test;

namespace {

/// Rows at 0, 1, 2, ... on a line.
RouteIndex& line(RouteIndex& index, std::size_t rows) {
    for (std::size_t i = 0; i < rows; ++i) {
        REQUIRE(index.put(std::to_string(i), Vector{static_cast<float>(i), 0}));
    }
    index.publish();
    return index;
}

IndexOptions plane(Metric metric = Metric::l2) {
    return IndexOptions{.metric = metric, .dimensions = 2};
}

}  // namespace

TEST_CASE("search returns the nearest rows in order with pgvector's distances", "[index]") {
    RouteIndex index{plane()};
    line(index, 2000);
    const auto hits = index.search(Vector{100.25F, 0}, 3, 10);
    CHECK(keys(hits) == std::vector<std::string>{"100", "101", "99"});
    CHECK(hits->at(0).distance == 0.25);
    CHECK(hits->at(1).distance == 0.75);
    CHECK(index.distance(Vector{0, 0}, Vector{3, 4}) == 5.0);
}

TEST_CASE("An empty index answers with no rows", "[index]") {
    RouteIndex index{plane()};
    CHECK(keys(index.search(Vector{1, 1}, 10, 40)).empty());
    index.publish();
    CHECK(keys(index.search(Vector{1, 1}, 10, 40)).empty());
    CHECK(keys(index.search_exact(Vector{1, 1}, 10)).empty());
}

TEST_CASE("k rows come back as long as there are k", "[index]") {
    RouteIndex index{plane()};
    line(index, 50);
    CHECK(index.search(Vector{0, 0}, 1, 1)->size() == 1);
    CHECK(index.search(Vector{0, 0}, 50, 1)->size() == 50);
    CHECK(index.search(Vector{0, 0}, 1000, 1)->size() == 50);
    CHECK(index.search_exact(Vector{0, 0}, 1000)->size() == 50);
}

TEST_CASE("k rows come back from among many dead ones", "[index]") {
    RouteIndex index{plane()};
    line(index, 3000);
    for (std::size_t i = 1000; i < 1700; ++i) {  // too few for a rebuild
        index.erase(std::to_string(i));
    }
    index.publish();
    CHECK(index.dead_slots() == 700);
    const auto hits = index.search(Vector{1350, 0}, 10, 10);
    CHECK(hits->size() == 10);
    for (const Hit& hit : *hits) {
        CHECK(hit.distance >= 350);
        CHECK(hit.distance <= 355);
    }
}

TEST_CASE("A deleted row is never returned", "[index]") {
    RouteIndex index{plane()};
    line(index, 100);
    index.erase("5");
    index.erase("not there");
    index.publish();
    CHECK(index.live_rows() == 99);
    CHECK(keys(index.search(Vector{5, 0}, 1, 40)) != std::vector<std::string>{"5"});
    CHECK(index.search(Vector{5, 0}, 100, 40)->size() == 99);
}

TEST_CASE("An update moves a row, and the same vector again changes nothing", "[index]") {
    RouteIndex index{plane()};
    line(index, 10);
    REQUIRE(index.put("3", Vector{1000, 0}));
    REQUIRE(index.put("4", Vector{4, 0}));
    index.publish();
    CHECK(index.live_rows() == 10);
    CHECK(index.dead_slots() == 1);
    CHECK(keys(index.search(Vector{1000, 0}, 1, 40)) == std::vector<std::string>{"3"});
    CHECK(keys(index.search(Vector{3, 0}, 1, 40)) != std::vector<std::string>{"3"});
}

TEST_CASE("A row that was deleted can come back", "[index]") {
    RouteIndex index{plane()};
    line(index, 10);
    index.erase("7");
    index.publish();
    REQUIRE(index.put("7", Vector{7, 0}));
    index.publish();
    CHECK(keys(index.search(Vector{7, 0}, 1, 40)) == std::vector<std::string>{"7"});
    CHECK(index.live_rows() == 10);
}

TEST_CASE("NULL takes a row out", "[index]") {
    RouteIndex index{plane()};
    line(index, 10);
    REQUIRE(index.put("7", {}));
    REQUIRE(index.put("new", {}));
    index.publish();
    CHECK(index.live_rows() == 9);
    CHECK(index.rejected() == 0);
}

TEST_CASE("Zero vectors are in an L2 index and not in a cosine one", "[index]") {
    RouteIndex l2{plane()};
    REQUIRE(l2.put("zero", Vector{0, 0}));
    l2.publish();
    CHECK(l2.live_rows() == 1);
    RouteIndex cosine{plane(Metric::cosine)};
    REQUIRE(cosine.put("zero", Vector{0, 0}));
    cosine.publish();
    CHECK(cosine.live_rows() == 0);
    CHECK(cosine.rejected() == 0);
    CHECK(cosine.search(Vector{0, 0}, 1, 40).error() == Errc::zero_norm);
}

TEST_CASE("Vectors that cannot be indexed are refused and counted", "[index]") {
    RouteIndex index{plane()};
    line(index, 10);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(index.put("3", Vector{1, nan}).error() == Errc::not_finite);
    CHECK(index.put("4", Vector{1, 2, 3}).error() == Errc::wrong_dimensions);
    const Vector bad{nan, 0};
    const Vector good{50, 0};
    const std::vector<RouteIndex::Entry> rows{{"a", bad}, {"b", good}, {"c", {}}};
    index.load(rows, 2);
    index.publish();
    CHECK(index.rejected() == 3);
    CHECK(index.live_rows() == 9);  // 3 and 4 no longer have the vectors they had
    CHECK(index.search(bad, 1, 40).error() == Errc::not_finite);
    CHECK(index.search(Vector{1}, 1, 40).error() == Errc::wrong_dimensions);
    CHECK(index.search_exact(Vector{1}, 1).error() == Errc::wrong_dimensions);
}

TEST_CASE("Ties all come back", "[index]") {
    RouteIndex index{plane()};
    line(index, 2000);
    for (int i = 0; i < 30; ++i) {
        REQUIRE(index.put("tie " + std::to_string(i), Vector{-5, 5}));
    }
    index.publish();
    const auto hits = index.search(Vector{-5, 5}, 30, 40);
    REQUIRE(hits->size() == 30);
    for (const Hit& hit : *hits) {
        CHECK(hit.distance == 0);
    }
}

TEST_CASE("clear removes all rows, and rows can follow in the same transaction", "[index]") {
    RouteIndex index{plane()};
    line(index, 3000);
    index.clear();
    REQUIRE(index.put("new", Vector{1, 1}));
    CHECK(index.live_rows() == 3000);
    index.publish();
    CHECK(index.live_rows() == 1);
    index.settle();
    CHECK(index.dead_slots() == 0);  // rebuilt
    CHECK(keys(index.search(Vector{0, 0}, 5, 40)) == std::vector<std::string>{"new"});
    index.clear();
    index.publish();
    CHECK(index.search(Vector{0, 0}, 5, 40)->empty());
    line(index, 10);
    CHECK(index.live_rows() == 10);
}

TEST_CASE("Overflowing distances come back as infinity, in order", "[index]") {
    RouteIndex index{plane(Metric::cosine)};
    REQUIRE(index.put("huge", Vector{3e38F, 3e38F}));
    REQUIRE(index.put("small", Vector{1, 1}));
    index.publish();
    const auto hits = index.search(Vector{1, 1}, 2, 40);
    REQUIRE(hits->size() == 2);
    CHECK(hits->at(0).key == "small");  // pgvector's NaN sorts last
}

TEST_CASE("Rows beyond the index's memory are refused and counted, others stay", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 2, .memory_bytes_max = memory_estimate(3, 2, 16)}};
    const Vector vector{1, 1};
    index.load(std::vector<RouteIndex::Entry>{{"a", vector}, {"b", vector}}, 1);
    REQUIRE(index.put("c", Vector{2, 2}));
    CHECK(index.missing_rows() == 0);
    CHECK(index.put("d", Vector{3, 3}).error() == Errc::out_of_memory);
    index.load(std::vector<RouteIndex::Entry>{{"e", vector}, {"f", vector}}, 1);
    index.publish();
    CHECK(index.missing_rows() == 3);
    CHECK(index.rejected() == 0);
    CHECK(keys(index.search(Vector{2, 2}, 10, 40)).size() == 3);
}

TEST_CASE("The memory estimate covers vector, code and links, and grows with each", "[index]") {
    const std::uint64_t row = memory_estimate(1, 768, 16);
    CHECK(row > 768 * 5 + 32 * 4);
    CHECK(memory_estimate(1000, 768, 16) == 1000 * row);
    CHECK(memory_estimate(1, 769, 16) >= row);
    CHECK(memory_estimate(1, 768, 32) >= row + std::uint64_t{32} * 4);
}

TEST_CASE("Vectors in a file take no memory and change no answer", "[index]") {
    const auto vectors = clustered(2000, 300, 7);
    IndexOptions options{.dimensions = 300};
    RouteIndex in_memory{options};
    options.vector_file.directory = std::filesystem::temp_directory_path().string();
    RouteIndex in_file{options};
    CHECK(memory_estimate(1, options) + 300 * sizeof(float) <= memory_estimate(1, 300, 16));
    IndexOptions some = options;
    some.vector_file.memory_first = std::size_t{2} << 20;
    RouteIndex mixed{some};
    for (RouteIndex* const index : {&in_memory, &in_file, &mixed}) {
        index->load(entries(vectors), 1);
        REQUIRE(index->put("new", Vector(300, 0.5F)));
        index->publish();
    }
    CHECK(in_file.memory_bytes() < in_memory.memory_bytes());
    CHECK(mixed.memory_bytes() == in_file.memory_bytes() + some.vector_file.memory_first);
    CHECK(in_memory.file_bytes().stored == 0);
    CHECK(in_file.file_bytes().stored > std::size_t{2000} * 300 * sizeof(float));
    CHECK(mixed.file_bytes().stored + some.vector_file.memory_first == in_file.file_bytes().stored);
    CHECK(mixed.file_bytes().cached <= mixed.file_bytes().stored);
    for (const Vector& query : clustered(20, 300, 8)) {
        CHECK(keys(in_file.search(query, 10, 60)) == keys(in_memory.search(query, 10, 60)));
        CHECK(keys(mixed.search(query, 10, 60)) == keys(in_memory.search(query, 10, 60)));
    }
    options.vector_file.directory += "/missing";
    CHECK_THROWS(RouteIndex{options});
    options.dimensions = 2;  // walked over vectors: these stay in memory
    CHECK(memory_estimate(1, options) == memory_estimate(1, 2, 16));
    CHECK_NOTHROW(RouteIndex{options});
}

TEST_CASE("Rows are as many as their memory says, wherever the file begins", "[index]") {
    const std::size_t first = GENERATE(0U, 1000U, 100'000U);
    const RowBytes bytes{.each = 70, .vector = 30, .vectors_max = first};
    for (const std::uint64_t rows : {1U, 9U, 33U, 34U, 35U, 3333U, 3334U, 3335U, 100'000U}) {
        CHECK(bytes.rows_in(bytes.of(rows)) == rows);
        CHECK(bytes.rows_in(bytes.of(rows) - 1) == rows - 1);
    }
    CHECK(RowBytes{.each = 7}.of(10) == 70);
    CHECK(RowBytes{.each = 7}.rows_in(76) == 10);
}

TEST_CASE("An index knows that there are rows that no search returns", "[index]") {
    RouteIndex index{plane(Metric::cosine)};
    const auto said = [&index] {
        index.publish();
        return std::pair(index.unplaced().null, index.unplaced().zero);
    };
    REQUIRE(index.put("a", Vector{1, 0}));
    CHECK(said() == std::pair(false, false));
    REQUIRE(index.put("n", {}));
    CHECK(index.unplaced().null == false);  // not published yet
    CHECK(said() == std::pair(true, false));
    REQUIRE(index.put("z", Vector{0, 0}));
    REQUIRE(index.put("n", Vector{1, 1}));
    CHECK(said() == std::pair(false, true));
    REQUIRE(index.put("a", {}));
    index.erase("z");
    CHECK(said() == std::pair(true, false));
    index.clear();
    CHECK(said() == std::pair(false, false));
}
