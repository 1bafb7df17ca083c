#include "index/elements.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

using namespace veer::index;
using namespace veer::index::test;
using namespace veer::storage;

// Of what memory says only row by row: a rebuild that fails must not have had what others need.

namespace {

constexpr std::uint32_t rows = 300;

/// Puts all rows into an index of these options.
using Fill = std::function<void(RouteIndex&)>;

const IndexOptions sparse_options{
    .metric = Metric::l2,
    .dimensions = element_count(VectorKind::sparsevec, 1'000'000),
    .kind = VectorKind::sparsevec,
    .m = 4,
    .ef_construction = 8};

void fill_sparse(RouteIndex& index) {
    constexpr std::uint32_t count = 1000;  // of elements
    std::vector<float> memory;
    for (std::uint32_t row = 0; row < rows; ++row) {
        SparseVector vector{1'000'000, {}, {}};
        for (std::uint32_t i = 0; i < count; ++i) {
            vector.indices.push_back(i * 300 + row);
            vector.values.push_back(static_cast<float>(i % 7) + 1);
        }
        REQUIRE(index.put(std::to_string(row), elements_of(vector, memory)).has_value());
    }
    index.publish();
}

const IndexOptions text_options{
    .dimensions = 4, .m = 4, .ef_construction = 8, .columns = {ColumnType::text}};

void fill_texts(RouteIndex& index) {
    const auto vectors = clustered(rows, 4, 1);
    for (std::uint32_t row = 0; row < rows; ++row) {
        const std::vector<ColumnValue> values{text(std::string(8000, 'x') + std::to_string(row))};
        REQUIRE(index.put(std::to_string(row), vectors[row], values).has_value());
    }
    index.publish();
}

/// How much of the budget was taken at most beyond what is taken at the end.
std::uint64_t taken_for_a_while(RouteIndex& index, const MemoryBudget& budget) {
    std::atomic<bool> stop{false};
    std::uint64_t most = 0;
    std::thread watch{[&] {
        while (!stop) {
            most = std::max(most, budget.used());
        }
    }};
    index.request_rebuild();
    index.settle();
    stop = true;
    watch.join();
    return most - std::min(most, budget.used());
}

void check_all_or_nothing(IndexOptions options, const Fill& fill) {
    options.budget = std::make_shared<MemoryBudget>(std::uint64_t{1} << 40U);
    std::uint64_t needed = 0;
    {
        RouteIndex index{options};
        fill(index);
        needed = index.memory_bytes();
        index.request_rebuild();
        index.settle();
        CHECK(index.rebuilds() == 1);
        CHECK(index.memory_bytes() <= needed);  // nothing taken for good that is not needed
        CHECK(options.budget->used() == index.memory_bytes());
    }
    options.budget = std::make_shared<MemoryBudget>(needed + needed * 3 / 4);
    RouteIndex index{options};
    fill(index);
    CHECK(taken_for_a_while(index, *options.budget) < needed / 4);
    CHECK(index.rebuilds() == 0);
    CHECK_FALSE(index.upkeep_trouble().empty());
    CHECK(options.budget->used() == index.memory_bytes());
    CHECK(index.live_rows() == rows);
}

}  // namespace

TEST_CASE("A rebuild takes the memory of all sparse vectors, or none", "[index]") {
    check_all_or_nothing(sparse_options, fill_sparse);
}

TEST_CASE("A rebuild takes the memory of all copied texts, or none", "[index]") {
    check_all_or_nothing(text_options, fill_texts);
}
