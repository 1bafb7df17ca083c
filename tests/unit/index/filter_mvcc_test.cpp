#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/readers.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ColumnType;
using veer::storage::ColumnValue;

namespace {

using Columns = std::vector<ColumnValue>;

std::vector<std::string> matching(const RouteIndex& index, const Filter& filter) {
    const Vector query{0, 0};
    return keys(index.search({.query = query, .k = 10, .ef = 40, .filter = &filter}));
}

}  // namespace

TEST_CASE("New values of an old vector are seen once they are published", "[index]") {
    RouteIndex index{
        IndexOptions{.dimensions = 2, .columns = {ColumnType::int4, ColumnType::text}}};
    const auto is = [](std::int64_t number) {
        return equal(0, number);
    };
    REQUIRE(index.put("a", Vector{1, 0}, Columns{int4(1), text("x")}));
    REQUIRE(index.put("b", Vector{1, 0}, Columns{int4(2), text("y")}));  // shares the node
    index.publish();
    REQUIRE(index.put("b", Vector{1, 0}, Columns{int4(3), text("y")}));
    REQUIRE(index.put("a", Vector{1, 0}, Columns{int4(2), text("x")}));
    REQUIRE(index.put("a", Vector{1, 0}, Columns{int4(4), text("x")}));  // of one transaction
    CHECK(matching(index, is(2)) == std::vector<std::string>{"b"});
    CHECK(matching(index, is(1)) == std::vector<std::string>{"a"});
    index.publish();
    CHECK(matching(index, is(1)).empty());
    CHECK(matching(index, is(2)).empty());
    CHECK(matching(index, is(3)) == std::vector<std::string>{"b"});
    CHECK(matching(index, is(4)) == std::vector<std::string>{"a"});
    CHECK(matching(index, equal(1, std::string{"x"})) == std::vector<std::string>{"a"});
    CHECK(index.dead_slots() == 0);
    index.erase("a");
    index.publish();
    CHECK(matching(index, is(4)).empty());
    REQUIRE(index.put("a", Vector{2, 0}, Columns{int4(4), text("x")}));
    index.clear();
    index.publish();
    CHECK(matching(index, is(4)).empty());
}

TEST_CASE("Values that move all day wear nothing out", "[index]") {
    RouteIndex index{
        IndexOptions{.dimensions = 2, .columns = {ColumnType::int4, ColumnType::text}}};
    for (int round = 0; round < 300; ++round) {
        for (int row = 0; row < 100; ++row) {
            REQUIRE(index.put(
                std::to_string(row),
                Vector{static_cast<float>(row), 0},
                Columns{int4(round), text("row " + std::to_string(row))}
            ));
        }
        index.publish();
    }
    CHECK(index.dead_slots() == 0);
    CHECK(matching(index, equal(0, std::int64_t{299})).size() == 10);
    CHECK(matching(index, equal(0, std::int64_t{298})).empty());
    CHECK(matching(index, equal(1, std::string{"row 77"})) == std::vector<std::string>{"77"});
}

TEST_CASE("A rebuild keeps the values", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 2, .columns = {ColumnType::int4}}};
    for (int row = 0; row < 3'000; ++row) {
        REQUIRE(index.put(
            std::to_string(row), Vector{static_cast<float>(row), 0}, Columns{int4(row % 7)}
        ));
    }
    index.publish();
    for (int row = 0; row < 1'500; ++row) {
        REQUIRE(index.put(
            std::to_string(row), Vector{static_cast<float>(row), 1}, Columns{int4(row % 7)}
        ));
    }
    index.publish();
    index.settle();
    CHECK(index.dead_slots() == 0);
    const Vector query{1'000, 0};
    const Filter filter = equal(0, std::int64_t{3});
    const auto hits = index.search({.query = query, .k = 20, .ef = 40, .filter = &filter});
    REQUIRE(hits.has_value());
    REQUIRE(hits->size() == 20);
    for (const Hit& hit : *hits) {
        CHECK(std::stoi(hit.key) % 7 == 3);
    }
}

TEST_CASE("A filtered search sees no half of a transaction, and none too many", "[index]") {
    RouteIndex index{
        IndexOptions{.dimensions = 2, .columns = {ColumnType::int4, ColumnType::text}}};
    const auto name = [](int number) {
        return text("number " + std::to_string(number));
    };
    for (int row = 0; row < 300; ++row) {
        const int number = row % 3;
        REQUIRE(index.put(
            std::to_string(row),
            Vector{static_cast<float>(row), static_cast<float>(row % 5)},
            Columns{int4(number), name(number)}
        ));
    }
    index.publish();
    const std::vector<std::size_t> columns{0, 1};
    Readers readers(2, [&](std::size_t round) {
        const auto number = static_cast<int>(round % 3);
        const Filter filter = round % 2 == 0 ? equal(0, std::int64_t{number})
                                             : equal(1, "number " + std::to_string(number));
        const Vector query{static_cast<float>(round % 300), 0};
        const auto found =
            index.search({.query = query, .k = 100, .ef = 20, .filter = &filter, .columns = columns}
            );
        // A transaction shifts all numbers or none: a third of the rows has each, always.
        return found && found->size() == 100 &&
               std::all_of(found->begin(), found->end(), [&](const Hit& hit) {
                   return hit.values[0] == std::get<std::string>(int4(number)) &&
                          hit.values[1] == std::get<std::string>(name(number));
               });
    });
    for (int shift = 1; shift <= 12; ++shift) {
        for (int row = 0; row < 300; ++row) {
            const int number = (row + shift) % 3;
            const bool moves = shift % 4 == 0;  // some get another vector, too
            REQUIRE(index.put(
                std::to_string(row),
                Vector{static_cast<float>(row), static_cast<float>(moves ? shift : row % 5)},
                Columns{int4(number), name(number)}
            ));
        }
        index.publish();
    }
    readers.wait_for_searches(20);
    readers.join();
    CHECK(readers.wrong == 0);
}

TEST_CASE("Texts count as memory, and a row that finds none is missing", "[index]") {
    RouteIndex index{IndexOptions{
        .dimensions = 2, .memory_bytes_max = 4U << 20U, .columns = {ColumnType::text}}};
    for (int row = 0; row < 6; ++row) {
        const Columns values{text(std::string(1U << 20U, static_cast<char>('a' + row)))};
        (void)index.put(std::to_string(row), Vector{static_cast<float>(row), 0}, values);
    }
    index.publish();
    CHECK(index.live_rows() == 4);
    CHECK(index.missing_rows() == 2);
}

TEST_CASE("Long texts count for more between two looks at the limits", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 2, .columns = {ColumnType::text}}};
    const Columns values{text(std::string(10'000, 'x'))};
    for (int row = 0; row < 256; ++row) {
        REQUIRE(index.put(std::to_string(row), Vector{static_cast<float>(row), 0}, values));
    }
    index.publish();
    const Vector query{0, 0};
    const Filter filter = equal(0, std::string{"x"});
    SearchRequest request{.query = query, .k = 1, .ef = 1, .filter = &filter};
    request.limits.visits_max = 2'000;  // more than there are rows; as many as a megabyte has
    CHECK(index.search_exact(request).error() == Errc::too_many_visits);
    request.limits.visits_max = 20'000;
    CHECK(index.search_exact(request)->empty());

    // What has been read is kept: whoever asks often enough gets an answer.
    const Filter other = equal(0, std::string{"y"});
    request.filter = &other;
    request.limits.visits_max = 2'000;
    int asked = 1;
    for (; asked < 100 && index.search_exact(request).has_error(); ++asked) {
    }
    CHECK(asked > 1);
    CHECK(asked < 20);
}

TEST_CASE("A filtered search keeps its limits", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 8, .columns = {ColumnType::int4}}};
    const auto vectors = clustered(3'000, 8, 1);
    for (std::size_t row = 0; row < vectors.size(); ++row) {
        REQUIRE(index.put(
            std::to_string(row), vectors[row], Columns{int4(static_cast<std::int32_t>(row % 2))}
        ));
    }
    index.publish();
    const Filter filter = equal(0, std::int64_t{1});
    SearchRequest request{.query = vectors[0], .k = 10, .ef = 20, .filter = &filter};
    REQUIRE(index.search(request)->size() == 10);
    request.limits.visits_max = 20;
    CHECK(index.search(request).error() == Errc::too_many_visits);
    CHECK(index.search_exact(request).error() == Errc::too_many_visits);
    const std::atomic<bool> cancelled{true};
    request.limits = {.cancelled = &cancelled};
    const Filter other = equal(0, std::int64_t{0});
    request.filter = &other;  // whose matches nobody knows yet
    request.ef = 60;
    CHECK(index.search_exact(request).error() == Errc::cancelled);
}

TEST_CASE("Values that most rows have left are not walked for", "[index]") {
    RouteIndex index{
        IndexOptions{.dimensions = 2, .ef_construction = 16, .columns = {ColumnType::int4}}};
    const auto vectors = clustered(20'000, 2, 1);
    const auto put = [&](std::size_t row, std::int32_t status) {
        if (!index.put(std::to_string(row), vectors[row], Columns{int4(status)})) {
            FAIL("row " << row);
        }
    };
    constexpr std::size_t waiting = 9'000;
    for (std::size_t row = 0; row < vectors.size(); ++row) {
        put(row, row < waiting ? 0 : 1);
    }
    index.publish();
    for (std::size_t row = 20; row < waiting; ++row) {
        put(row, 1);
    }
    index.publish();
    const Filter filter = equal(0, std::int64_t{0});
    SearchRequest request{.query = vectors[0], .k = 21, .ef = 21, .filter = &filter};
    request.limits.visits_max = waiting + 1'000;  // each node once, and reading the records
    const auto found = index.search(request);
    REQUIRE(found.has_value());
    CHECK(found->size() == 20);
}
