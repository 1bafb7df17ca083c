#include "tests/unit/index/drawn_filter.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <random>

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ColumnType;

namespace {

const std::vector<ColumnType>& types = drawn_types();

struct Rows {
    RouteIndex index{IndexOptions{.dimensions = 1, .columns = types}};
    std::vector<Values> values;

    void put(std::size_t row, const Draw& random) {
        const Values drawn = any_row(random);
        values.resize(std::max(values.size(), row + 1));
        values[row] = drawn;
        REQUIRE(
            index.put(std::to_string(row), Vector{static_cast<float>(row - row % 2)}, sent(drawn))
        );
    }
};

}  // namespace

TEST_CASE("A filter passes exactly the rows of which it is true", "[index]") {
    const Draw random = std::mt19937_64{1};
    Rows rows;
    for (std::size_t row = 0; row < 200; ++row) {
        rows.put(row, random);
    }
    rows.index.publish();
    for (int round = 0; round < 2'000; ++round) {
        if (round % 10 == 0) {
            rows.put(random() % 200, random);
            rows.index.publish();
        }
        const Filter filter = any_filter(random, 3);
        std::vector<std::string> wanted;
        for (std::size_t row = 0; row < rows.values.size(); ++row) {
            if (truth(filter, rows.values[row]) == true) {
                wanted.push_back(std::to_string(row));
            }
        }
        std::sort(wanted.begin(), wanted.end());
        const Vector query{50};
        std::vector<std::string> found =
            keys(rows.index.search({.query = query, .k = 1000, .ef = 10, .filter = &filter}));
        std::sort(found.begin(), found.end());
        REQUIRE(found == wanted);
    }
}

TEST_CASE("Hits carry the values of the columns asked for", "[index]") {
    const Draw random = std::mt19937_64{2};
    Rows rows;
    for (std::size_t row = 0; row < 100; ++row) {
        rows.put(row, random);
    }
    rows.index.publish();
    std::vector<std::size_t> columns;
    for (std::size_t column = types.size(); column-- > 0;) {
        columns.push_back(column);
    }
    const Vector query{3};
    const auto hits = rows.index.search({.query = query, .k = 100, .ef = 10, .columns = columns});
    REQUIRE(hits.has_value());
    REQUIRE(hits->size() == 100);
    for (const Hit& hit : *hits) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const auto value =
                sent(types[columns[i]], rows.values[std::stoul(hit.key)][columns[i]]);
            const auto* const bytes = std::get_if<std::string>(&value);
            CHECK(hit.values[i].has_value() == (bytes != nullptr));
            CHECK(hit.values[i].value_or("") == (bytes == nullptr ? "" : *bytes));
        }
    }
}

TEST_CASE("A filter that does not fit the columns is refused", "[index]") {
    RouteIndex index{
        IndexOptions{.dimensions = 1, .columns = {ColumnType::int4, ColumnType::text}}};
    index.publish();
    const Vector query{0};
    const auto refused = [&](const Filter& filter) {
        const auto found = index.search({.query = query, .k = 1, .ef = 1, .filter = &filter});
        return found.has_error() && found.error() == Errc::wrong_filter;
    };
    CHECK(refused(equal(2, std::int64_t{1})));
    CHECK(refused(is_null(2)));
    CHECK(refused(equal(0, 1.0)));
    CHECK(refused(equal(0, std::string{"1"})));
    CHECK(refused(equal(1, std::int64_t{1})));
    CHECK(refused(compare(1, Filter::Comparison::less, std::string{"a"})));
    CHECK(refused(all_of({equal(0, std::int64_t{1}), equal(1, true)})));
    CHECK_FALSE(refused(equal(0, std::int64_t{1'000'000'000'000})));
    const std::vector<std::size_t> columns{2};
    CHECK(index.search({.query = query, .k = 1, .ef = 1, .columns = columns}).has_error());
}
