#include "index/passes.hpp"

#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <optional>
#include <vector>

using namespace veer;
using namespace veer::index::test;
using index::Filter;

TEST_CASE("whether one row passes is what its columns say, three-valued", "[index]") {
    const std::array types{storage::ColumnType::int4, storage::ColumnType::text};
    const std::vector<storage::ColumnValue> row{int4(7), text("a")};
    const std::vector<storage::ColumnValue> empty{storage::NullValue{}, storage::NullValue{}};
    const auto both = all_of({equal(0, std::int64_t{7}), equal(1, std::string("a"))});
    CHECK(index::passes(both, types, row) == true);
    CHECK(index::passes(none_of(both), types, row) == false);
    CHECK(index::passes(equal(0, std::int64_t{8}), types, row) == false);
    CHECK(index::passes(Filter{}, types, row) == true);
    CHECK(index::passes(equal(0, std::int64_t{7}), types, empty) == false);
    CHECK(index::passes(none_of(equal(0, std::int64_t{7})), types, empty) == false);  // unknown
    CHECK(index::passes(is_null(1), types, empty) == true);
}

TEST_CASE("where a row's values are not all known nobody says whether it passes", "[index]") {
    const std::array types{storage::ColumnType::int4};
    const std::vector<storage::ColumnValue> unchanged{storage::UnchangedValue{}};
    const Filter seven = equal(0, std::int64_t{7});
    CHECK_FALSE(index::passes(seven, types, unchanged));
    CHECK_FALSE(index::passes(seven, types, {}));
    CHECK_FALSE(index::passes(equal(1, std::int64_t{7}), types, std::vector{int4(7)}));
    CHECK_FALSE(index::passes(equal(0, std::string("a")), types, std::vector{int4(7)}));
}
