#include "router/column_value.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace veer::router;
using veer::index::FilterValue;
using veer::storage::ColumnType;

namespace {

std::optional<std::int64_t> number(ColumnType type, std::string_view text) {
    const auto value = parse_value(type, text);
    return value ? std::optional(std::get<std::int64_t>(*value)) : std::nullopt;
}

constexpr std::int64_t hour = 3'600'000'000;

/// As array_send has it, of int4.
std::string sent_array(std::string_view elements) {
    return std::string("\0\0\0\x01\0\0\0\0\0\0\0\x17\0\0\0\x02\0\0\0\x01", 20).append(elements);
}

}  // namespace

TEST_CASE("Whole numbers are read within their type's range", "[router]") {
    CHECK(number(ColumnType::int2, "-32768") == -32768);
    CHECK(number(ColumnType::int2, "32768") == std::nullopt);
    CHECK(number(ColumnType::int4, "2147483647") == 2147483647);
    CHECK(number(ColumnType::int4, "2147483648") == std::nullopt);
    CHECK(number(ColumnType::int8, "9223372036854775807") == 9223372036854775807);
    CHECK(number(ColumnType::int8, "9223372036854775808") == std::nullopt);
    for (const char* const text : {"", " 1", "1 ", "1.0", "0x1", "1e3", "+1", "one"}) {
        CAPTURE(text);
        CHECK(number(ColumnType::int4, text) == std::nullopt);
    }
}

TEST_CASE("Dates and times are those that no setting reads otherwise", "[router]") {
    CHECK(number(ColumnType::date, "2000-01-01") == 0);
    CHECK(number(ColumnType::date, "1999-12-31") == -1);
    CHECK(number(ColumnType::date, "2024-02-29") == 8825);
    CHECK(number(ColumnType::date, "0001-01-01") == -730119);
    CHECK(number(ColumnType::date, "9999-12-31") == 2921939);
    CHECK(number(ColumnType::timestamp, "2000-01-01") == 0);
    CHECK(number(ColumnType::timestamp, "2000-01-01 01:00:00") == hour);
    CHECK(number(ColumnType::timestamp, "2000-01-01T00:00:00.5") == 500'000);
    CHECK(number(ColumnType::timestamp, "1999-12-31 23:59:59.999999") == -1);
    CHECK(number(ColumnType::timestamptz, "2000-01-01 01:00:00+01") == 0);
    CHECK(number(ColumnType::timestamptz, "2000-01-01 00:00:00Z") == 0);
    CHECK(number(ColumnType::timestamptz, "2000-01-01 00:00:00-01:30") == hour * 3 / 2);
    for (const char* const text :
         {"2023-02-29",
          "01/02/2024",
          "2024-1-1",
          "2024-13-01",
          "today",
          "infinity",
          "2024-01-01 "}) {
        CAPTURE(text);
        CHECK(number(ColumnType::date, text) == std::nullopt);
    }
    CHECK(number(ColumnType::timestamp, "2000-01-01 00:00:00+01") == std::nullopt);
    CHECK(number(ColumnType::timestamptz, "2000-01-01 00:00:00") == std::nullopt);
    CHECK(number(ColumnType::timestamptz, "2000-01-01") == std::nullopt);
    CHECK(number(ColumnType::timestamp, "2000-01-01 00:00:00.1234567") == std::nullopt);
    CHECK(number(ColumnType::timestamp, "2000-01-01 24:00:00") == std::nullopt);
}

TEST_CASE("Booleans, uuids and texts are read as Postgres sends them", "[router]") {
    CHECK(parse_value(ColumnType::boolean, "t") == FilterValue{true});
    CHECK(parse_value(ColumnType::boolean, "false") == FilterValue{false});
    CHECK(parse_value(ColumnType::boolean, "maybe") == std::nullopt);
    const std::string uuid("\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11", 16);
    CHECK(
        parse_value(ColumnType::uuid, "a0eebc99-9C0B-4ef8-bb6d-6bb9bd380a11") == FilterValue{uuid}
    );
    CHECK(parse_value(ColumnType::uuid, "a0eebc999c0b4ef8bb6d6bb9bd380a11") == std::nullopt);
    CHECK(parse_value(ColumnType::uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g") == std::nullopt);
    CHECK(parse_value(ColumnType::text, "Gr\xC3\xBCn") == FilterValue{"Gr\xC3\xBCn"});
    for (const std::string_view text : {
             std::string_view("\xFF"),
             std::string_view("\xC3"),
             std::string_view("\xC0\x80"),
             std::string_view("\xED\xA0\x80"),
             std::string_view("\xF4\x90\x80\x80"),
             std::string_view("a\0b", 3),
         }) {
        CHECK(parse_value(ColumnType::text, text) == std::nullopt);
    }
    CHECK(parse_value(ColumnType::float8, "1.5") == std::nullopt);
}

TEST_CASE("Binary values have their type's length", "[router]") {
    CHECK(
        receive_value(ColumnType::int4, std::string_view("\xFF\xFF\xFF\xFE", 4)) ==
        FilterValue{std::int64_t{-2}}
    );
    CHECK(receive_value(ColumnType::int4, std::string_view("\0\0", 2)) == std::nullopt);
    CHECK(receive_value(ColumnType::boolean, std::string_view("\x01", 1)) == FilterValue{true});
    CHECK(receive_value(ColumnType::text, "x") == FilterValue{"x"});
}

TEST_CASE("Arrays are read in both forms", "[router]") {
    const auto values = parse_values(ColumnType::int4, "{1,-3}");
    REQUIRE(values);
    REQUIRE(values->size() == 2);
    CHECK((*values)[0].value == FilterValue{std::int64_t{1}});
    CHECK(parse_values(ColumnType::int4, "{}")->empty());
    const auto texts = parse_values(ColumnType::text, R"({a,"b c","NULL","d\"e",""})");
    REQUIRE(texts);
    CHECK((*texts)[1].value == FilterValue{"b c"});
    CHECK((*texts)[2].value == FilterValue{"NULL"});
    CHECK((*texts)[3].value == FilterValue{"d\"e"});
    CHECK((*texts)[4].value == FilterValue{""});
    for (const char* const text :
         {"",
          "{",
          "{1",
          "{1,}",
          "{,1}",
          "{{1}}",
          "[0:1]={1,2}",
          "{1 }",
          "{\"1}",
          "{1,",
          "{1,NULL}"}) {
        CAPTURE(text);
        CHECK(parse_values(ColumnType::int4, text) == std::nullopt);
    }
    using namespace std::string_view_literals;
    const auto sent = receive_values(sent_array("\0\0\0\x04\0\0\0\x07\xFF\xFF\xFF\xFF"sv));
    REQUIRE(sent);
    CHECK((*sent)[0].value == FilterValue{std::int64_t{7}});
    CHECK((*sent)[1].value == std::nullopt);
    CHECK(received_element_oid(sent_array("")) == 23);
    CHECK(receive_values(sent_array("\0\0\0\x04\0\0\0\x07"sv)) == std::nullopt);
    CHECK(receive_values("") == std::nullopt);
    CHECK(parse_whole_numbers(ColumnType::int8, "1, -2,3")->size() == 3);
    CHECK(parse_whole_numbers(ColumnType::int2, "1, 40000") == std::nullopt);
    CHECK(parse_whole_numbers(ColumnType::int8, "1, 2.5") == std::nullopt);
    CHECK(parse_whole_numbers(ColumnType::int8, "") == std::nullopt);
    CHECK(array_element_oid(1015) == 1043);
    CHECK(builtin_oid(ColumnType::text) == 25);
}

TEST_CASE("Binary times outside of Postgres' calendar are Postgres' to refuse", "[router]") {
    using namespace std::string_view_literals;
    CHECK(receive_value(ColumnType::date, "\x7F\xFF\xFF\xFE"sv) == std::nullopt);
    CHECK(receive_value(ColumnType::date, "\0\0\0\x01"sv) == FilterValue{std::int64_t{1}});
    CHECK(
        receive_value(ColumnType::timestamp, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFE"sv) == std::nullopt
    );
    CHECK(receive_value(ColumnType::int8, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFE"sv).has_value());
}
