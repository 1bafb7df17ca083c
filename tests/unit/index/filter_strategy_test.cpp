#include "index/filter_strategy.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace veer::index;

namespace {

constexpr double rows = 100'000;

/// 768 dimensions: codes of 13 lines, signs of two.
FilteredSearch long_vectors(double share, std::size_t ef) {
    return {
        .matching = rows * share,
        .nodes = rows * share,
        .rows = rows,
        .ef = ef,
        .code_lines = 13,
        .sign_lines = 2};
}

/// 128 dimensions: vectors of nine lines, and nothing that spares them.
FilteredSearch short_vectors(double share, std::size_t ef) {
    return {
        .matching = rows * share, .nodes = rows * share, .rows = rows, .ef = ef, .code_lines = 9};
}

}  // namespace

TEST_CASE("Few rows that pass are compared with, many are walked over", "[index]") {
    const std::size_t ef = GENERATE(10U, 40U, 80U, 160U);
    CAPTURE(ef);
    CHECK_FALSE(worth_walking(long_vectors(0.001, ef)));
    CHECK_FALSE(worth_walking(long_vectors(0.01, ef)));
    CHECK(worth_walking(long_vectors(0.5, ef)));
    CHECK(worth_walking(long_vectors(0.9, ef)));
    CHECK_FALSE(worth_walking(short_vectors(0.01, ef)));
    CHECK(worth_walking(short_vectors(0.5, ef)));
}

TEST_CASE(
    "A tenth of the rows is walked over, and compared with where the walk is wide", "[index]"
) {
    CHECK(worth_walking(long_vectors(0.1, 60)));
    CHECK_FALSE(worth_walking(long_vectors(0.1, 160)));
}

TEST_CASE("Signs make comparing worth while sooner", "[index]") {
    FilteredSearch search = long_vectors(0.1, 120);
    CHECK_FALSE(worth_walking(search));
    search.sign_lines = 0;
    CHECK(worth_walking(search));
}

TEST_CASE("Nodes that most rows have left are compared with", "[index]") {
    FilteredSearch search = long_vectors(0.5, 40);
    CHECK(worth_walking(search));
    search.matching = 100;
    CHECK_FALSE(worth_walking(search));
}

TEST_CASE("The wider the walk, the more rows are compared with instead", "[index]") {
    const double share = GENERATE(0.05, 0.1, 0.25, 0.5);
    bool walked = true;
    for (const std::size_t ef : {10U, 20U, 40U, 80U, 160U, 320U, 640U, 1280U, 20'000U}) {
        const bool walks = worth_walking(short_vectors(share, ef));
        CAPTURE(share, ef);
        CHECK((walked || !walks));
        walked = walks;
    }
    CHECK_FALSE(walked);
}

TEST_CASE("Where too few nodes are within two links no walk is begun", "[index]") {
    FilteredSearch search = long_vectors(0.04, 10);
    search.matching *= 1000;
    search.nodes *= 1000;
    search.rows *= 1000;
    CHECK(walking_cost(search) < comparing_cost(search));
    CHECK_FALSE(worth_walking(search));
    search.links = 64;
    CHECK(worth_walking(search));
}

TEST_CASE("Rows that share nodes are walked over like others", "[index]") {
    FilteredSearch search = long_vectors(0.9, 40);
    search.rows *= 30;
    search.matching *= 30;
    CHECK(worth_walking(search));
}

TEST_CASE("An index without rows is compared with", "[index]") {
    CHECK_FALSE(worth_walking({}));
}
