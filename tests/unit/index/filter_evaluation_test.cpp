#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <limits>
#include <random>

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ColumnType;

namespace {

using Values = std::vector<std::optional<FilterValue>>;

const std::vector<ColumnType> types{
    ColumnType::boolean,
    ColumnType::int2,
    ColumnType::int4,
    ColumnType::int8,
    ColumnType::float4,
    ColumnType::float8,
    ColumnType::date,
    ColumnType::timestamp,
    ColumnType::timestamptz,
    ColumnType::uuid,
    ColumnType::text};

template <class Number>
std::int64_t integer(std::mt19937_64& random) {
    using Limits = std::numeric_limits<Number>;
    const std::int64_t some[] = {Limits::min(), Limits::max(), Limits::max() - 1, 0, -1, 1, 7};
    return some[random() % std::size(some)];
}

double floating(std::mt19937_64& random) {
    using Limits = std::numeric_limits<double>;
    const double some[] = {
        Limits::quiet_NaN(),
        -Limits::quiet_NaN(),
        Limits::infinity(),
        -Limits::infinity(),
        0.0,
        -0.0,
        0.5,
        -1.5,
        1e30,
        1e-45};
    return some[random() % std::size(some)];
}

std::string bytes(std::mt19937_64& random) {
    const std::string some[] = {
        "", "a", "b", "A", "ab", std::string{"\0", 1}, "\xC3\xA4", std::string(70, 'x')};
    return some[random() % std::size(some)];
}

/// One of few values of the type, the extremes among them.
FilterValue any_value(ColumnType type, std::mt19937_64& random) {
    switch (type) {
        case ColumnType::boolean:
            return random() % 2 == 0;
        case ColumnType::int2:
            return integer<std::int16_t>(random);
        case ColumnType::int4:
        case ColumnType::date:
            return integer<std::int32_t>(random);
        case ColumnType::int8:
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
            return integer<std::int64_t>(random);
        case ColumnType::float4:
            return static_cast<double>(static_cast<float>(floating(random)));
        case ColumnType::float8:
            return floating(random);
        case ColumnType::uuid:
            return std::string(15, 'u') + static_cast<char>(random() % 256);
        case ColumnType::text:
            return bytes(random);
        default:
            return false;  // filter_containers_test.cpp
    }
}

Filter any_leaf(std::mt19937_64& random) {
    Filter filter;
    filter.column = random() % types.size();
    const ColumnType type = types[filter.column];
    switch (random() % 6) {
        case 0:
            filter.kind = Filter::Kind::is_null;
            break;
        case 1:
            filter.kind = Filter::Kind::one_of;
            filter.null_listed = random() % 4 == 0;
            for (std::size_t left = random() % 4; left > 0; --left) {
                filter.values.push_back(any_value(type, random));
            }
            break;
        case 2:
            if (random() % 4 == 0) {
                filter.kind = Filter::Kind::unknown;
                break;
            }
            [[fallthrough]];
        default:
            filter.kind = Filter::Kind::compare;
            filter.comparison = static_cast<Filter::Comparison>(
                random() % (type == ColumnType::text ? 2 : 6)  // text is only equal or not
            );
            filter.values = {any_value(type, random)};
    }
    return filter;
}

Filter any_filter(std::mt19937_64& random, int depth) {
    if (depth == 0 || random() % 3 == 0) {
        return any_leaf(random);
    }
    if (random() % 4 == 0) {
        return none_of(any_filter(random, depth - 1));
    }
    std::vector<Filter> children;
    for (std::size_t left = random() % 4; left > 0; --left) {
        children.push_back(any_filter(random, depth - 1));
    }
    return random() % 2 == 0 ? all_of(std::move(children)) : any_of(std::move(children));
}

struct Rows {
    RouteIndex index{IndexOptions{.dimensions = 1, .columns = types}};
    std::vector<Values> values;

    void put(std::size_t row, std::mt19937_64& random) {
        Values drawn;
        std::vector<veer::storage::ColumnValue> columns;
        for (const ColumnType type : types) {
            drawn.push_back(
                random() % 5 == 0 ? std::nullopt : std::optional{any_value(type, random)}
            );
            columns.push_back(sent(type, drawn.back()));
        }
        values.resize(std::max(values.size(), row + 1));
        values[row] = drawn;
        REQUIRE(index.put(std::to_string(row), Vector{static_cast<float>(row - row % 2)}, columns));
    }
};

}  // namespace

TEST_CASE("A filter passes exactly the rows of which it is true", "[index]") {
    std::mt19937_64 random{1};
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
    std::mt19937_64 random{2};
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
