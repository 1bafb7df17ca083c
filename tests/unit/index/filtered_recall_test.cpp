#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <set>

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ColumnType;
using veer::storage::ColumnValue;

namespace {

constexpr std::size_t row_count = 6'000;
constexpr std::size_t dimensions = 24;

/// Clustered rows with two columns: `drawn`, that has nothing to do with the vector, and `side`,
/// the rank of the row along one direction.
struct Rows {
    std::vector<Vector> vectors = clustered(row_count, dimensions, 1);
    std::vector<std::int32_t> drawn;
    std::vector<std::int32_t> side;
    RouteIndex index{IndexOptions{
        .dimensions = dimensions,
        .quantization = Quantization::sq8,
        .columns = {ColumnType::int4, ColumnType::int4}}};

    Rows() {
        std::vector<std::size_t> by_side(row_count);
        for (std::size_t row = 0; row < row_count; ++row) {
            by_side[row] = row;
            drawn.push_back(static_cast<std::int32_t>(row * 2'654'435'761U % row_count));
        }
        std::sort(by_side.begin(), by_side.end(), [&](std::size_t a, std::size_t b) {
            return vectors[a][0] + vectors[a][1] < vectors[b][0] + vectors[b][1];
        });
        side.resize(row_count);
        for (std::size_t rank = 0; rank < row_count; ++rank) {
            side[by_side[rank]] = static_cast<std::int32_t>(rank);
        }
        std::vector<std::vector<ColumnValue>> values;
        for (std::size_t row = 0; row < row_count; ++row) {
            values.push_back({int4(drawn[row]), int4(side[row])});
        }
        auto rows = entries(vectors);
        for (std::size_t row = 0; row < row_count; ++row) {
            rows[row].values = values[row];
        }
        index.load(rows, 2);
        index.publish();
    }
};

const Rows& rows() {
    static const Rows made;
    return made;
}

}  // namespace

TEST_CASE("A filtered search finds 99 of 100, whatever share of the rows passes", "[index]") {
    const std::size_t share = GENERATE(5'400U, 3'000U, 600U, 60U, 6U);
    const std::size_t column = GENERATE(0U, 1U);
    // Above the limit lie the rows of one end, or as many of no place in particular.
    const Filter filter = compare(
        column, Filter::Comparison::greater_or_equal, static_cast<std::int64_t>(row_count - share)
    );
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (const Vector& query : clustered(100, dimensions, 2)) {
        SearchRequest request{.query = query, .k = 10, .ef = 80, .filter = &filter};
        const auto truth = rows().index.search_exact(request);
        const auto answer = rows().index.search(request);
        REQUIRE(truth.has_value());
        REQUIRE(answer.has_value());
        REQUIRE(truth->size() == std::min<std::size_t>(10, share));
        REQUIRE(answer->size() == truth->size());
        std::set<std::string> right;
        for (const Hit& hit : *truth) {
            right.insert(hit.key);
        }
        wanted += right.size();
        for (const Hit& hit : *answer) {
            const std::size_t row = std::stoul(hit.key);
            const std::int32_t value = column == 0 ? rows().drawn[row] : rows().side[row];
            REQUIRE(value >= static_cast<std::int32_t>(row_count - share));
            found += right.count(hit.key);
        }
    }
    const double recall = static_cast<double>(found) / static_cast<double>(wanted);
    CAPTURE(share, column, recall);
    CHECK(recall >= 0.99);
}

TEST_CASE("A filter of two columns that exclude each other leaves nothing", "[index]") {
    const Filter filter = all_of(
        {compare(0, Filter::Comparison::less, std::int64_t{100}),
         compare(0, Filter::Comparison::greater, std::int64_t{5'000})}
    );
    const auto found =
        rows().index.search({.query = rows().vectors[0], .k = 10, .ef = 40, .filter = &filter});
    REQUIRE(found.has_value());
    CHECK(found->empty());
}
