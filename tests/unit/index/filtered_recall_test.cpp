#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <functional>
#include <set>

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ColumnType;
using veer::storage::ColumnValue;

namespace {

constexpr std::size_t row_count = 8'000;
constexpr std::size_t dimensions = 16;

/// Clustered rows with three columns: `drawn`, that has nothing to do with the vector, `side`, the
/// rank of the row along one direction, and `near`, its rank by distance from one row, so that
/// those ranked highest lie together: near to some queries, far from most.
struct Rows {
    std::vector<Vector> vectors = clustered(row_count, dimensions, 1);
    std::vector<std::int32_t> drawn;
    std::vector<std::int32_t> side;
    std::vector<std::int32_t> near;
    RouteIndex index{IndexOptions{
        .dimensions = dimensions,
        .ef_construction = 40,
        .quantization = Quantization::sq8,
        .columns = {ColumnType::int4, ColumnType::int4, ColumnType::int4}}};

    std::vector<std::int32_t> ranked(const std::function<double(const Vector&)>& by) const {
        std::vector<std::pair<double, std::size_t>> order;
        for (std::size_t row = 0; row < row_count; ++row) {
            order.emplace_back(by(vectors[row]), row);
        }
        std::sort(order.begin(), order.end());
        std::vector<std::int32_t> ranks(row_count);
        for (std::size_t rank = 0; rank < row_count; ++rank) {
            ranks[order[rank].second] = static_cast<std::int32_t>(rank);
        }
        return ranks;
    }

    Rows() {
        for (std::size_t row = 0; row < row_count; ++row) {
            drawn.push_back(static_cast<std::int32_t>(row * 2'654'435'761U % row_count));
        }
        side = ranked([](const Vector& vector) { return vector[0] + vector[1]; });
        near = ranked([&](const Vector& vector) { return -index.distance(vector, vectors[0]); });
        std::vector<std::vector<ColumnValue>> values;
        for (std::size_t row = 0; row < row_count; ++row) {
            values.push_back({int4(drawn[row]), int4(side[row]), int4(near[row])});
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
    const std::size_t share = GENERATE(7'200U, 4'000U, 800U, 80U, 8U);
    const std::size_t column = GENERATE(0U, 1U, 2U);
    const auto& ranks = column == 0 ? rows().drawn : column == 1 ? rows().side : rows().near;
    // Above the limit lie the rows of one end, or as many of no place in particular.
    const Filter filter = compare(
        column, Filter::Comparison::greater_or_equal, static_cast<std::int64_t>(row_count - share)
    );
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (const Vector& query : clustered(100, dimensions, 2)) {
        SearchRequest request{.query = query, .k = 10, .ef = 40, .filter = &filter};
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
            REQUIRE(ranks[row] >= static_cast<std::int32_t>(row_count - share));
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
