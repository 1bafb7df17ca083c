#include "storage/row.hpp"

#include <catch2/catch_test_macros.hpp>

using veer::storage::append_key_column;
using veer::storage::key_columns;
using veer::storage::RowKey;

TEST_CASE("A key of several columns splits into what it was made of", "[storage]") {
    RowKey key;
    append_key_column(key, "abc");
    append_key_column(key, "");
    append_key_column(key, std::string(70'000, 'x'));
    const auto columns = key_columns(key);
    REQUIRE(columns.size() == 3);
    CHECK(columns[0] == "abc");
    CHECK(columns[1].empty());
    CHECK(columns[2].size() == 70'000);
    CHECK(key.substr(0, 7) == std::string("\0\0\0\3abc", 7));
}

TEST_CASE("Keys of different columns are different", "[storage]") {
    RowKey left;
    append_key_column(left, "a");
    append_key_column(left, "bc");
    RowKey right;
    append_key_column(right, "ab");
    append_key_column(right, "c");
    CHECK(left != right);
}

TEST_CASE("Bytes that are no key have no columns", "[storage]") {
    RowKey key;
    append_key_column(key, "abc");
    append_key_column(key, "de");
    CHECK(key_columns("").empty());
    for (std::size_t size = 1; size < key.size(); ++size) {
        CHECK(key_columns(key.substr(0, size)).size() == (size == 7 ? 1 : 0));
    }
    CHECK(key_columns("\xFF\xFF\xFF\xFFxyz").empty());
}
