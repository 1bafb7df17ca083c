#include "index/passes.hpp"

#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace veer;
using namespace veer::index::test;
using index::Filter;

namespace {

/// Of a row by itself.
std::optional<bool> passes(
    const Filter& filter,
    std::vector<storage::ColumnType> types,
    const std::vector<storage::ColumnValue>& values
) {
    index::RowProbe probe(std::move(types));
    const auto predicate = probe.prepare(filter);
    probe.begin(values);
    return predicate ? probe.passes(*predicate) : std::nullopt;
}

}  // namespace

TEST_CASE("whether one row passes is what its columns say, three-valued", "[index]") {
    const std::vector types{storage::ColumnType::int4, storage::ColumnType::text};
    const std::vector<storage::ColumnValue> row{int4(7), text("a")};
    const std::vector<storage::ColumnValue> empty{storage::NullValue{}, storage::NullValue{}};
    const auto both = all_of({equal(0, std::int64_t{7}), equal(1, std::string("a"))});
    CHECK(passes(both, types, row) == true);
    CHECK(passes(none_of(both), types, row) == false);
    CHECK(passes(equal(0, std::int64_t{8}), types, row) == false);
    CHECK(passes(Filter{}, types, row) == true);
    CHECK(passes(equal(0, std::int64_t{7}), types, empty) == false);
    CHECK(passes(none_of(equal(0, std::int64_t{7})), types, empty) == false);  // unknown
    CHECK(passes(is_null(1), types, empty) == true);
}

TEST_CASE("where a row's values are not all known nobody says whether it passes", "[index]") {
    const std::vector types{storage::ColumnType::int4};
    const std::vector<storage::ColumnValue> unchanged{storage::UnchangedValue{}};
    const Filter seven = equal(0, std::int64_t{7});
    CHECK_FALSE(passes(seven, types, unchanged));
    CHECK_FALSE(passes(seven, types, {}));
    CHECK_FALSE(passes(equal(1, std::int64_t{7}), types, std::vector{int4(7)}));
    CHECK_FALSE(passes(equal(0, std::string("a")), types, std::vector{int4(7)}));
}

TEST_CASE("many rows, one after the other, are each asked about by many", "[index]") {
    // Beyond the rows whose memory is kept at once, and beyond the bytes of their texts.
    const std::vector types{storage::ColumnType::int4, storage::ColumnType::text};
    index::RowProbe probe(types);
    const auto even = probe.prepare(
        {.kind = Filter::Kind::one_of, .column = 0, .values = {std::int64_t{0}, std::int64_t{2}}}
    );
    const auto named = probe.prepare(equal(1, std::string(3000, 'b')));
    const auto none = probe.prepare(is_null(0));
    REQUIRE((even && named && none));
    CHECK_FALSE(probe.prepare(equal(2, std::int64_t{1})));
    for (int i = 0; i < 3000; ++i) {
        const bool null = i % 7 == 0;
        const std::string name(3000, i % 2 == 0 ? 'a' : 'b');
        const std::vector<storage::ColumnValue> row{
            null ? storage::ColumnValue{storage::NullValue{}} : int4(i % 4), text(name)};
        probe.begin(row);
        INFO(i);
        REQUIRE(probe.passes(*even) == (!null && i % 2 == 0));
        REQUIRE(probe.passes(*named) == (i % 2 == 1));
        REQUIRE(probe.passes(*none) == null);
        const std::vector<storage::ColumnValue> unchanged{storage::UnchangedValue{}, text(name)};
        probe.begin(unchanged);
        REQUIRE_FALSE(probe.passes(*named));
    }
}
