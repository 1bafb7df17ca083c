#include "storage/key_text.hpp"

#include "storage/time_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <string>

using namespace veer::storage;
using namespace std::string_literals;

namespace {

Column column(std::uint32_t type) {
    Column made;
    made.type_oid = type;
    return made;
}

constexpr std::int64_t day = 86'400'000'000;

}  // namespace

TEST_CASE("A date is written as every DateStyle reads it", "[storage]") {
    const auto date = [](std::int64_t days) {
        return time_text(ColumnType::date, days);
    };
    CHECK(date(0) == "2000-01-01");
    CHECK(date(59) == "2000-02-29");
    CHECK(date(60) == "2000-03-01");
    CHECK(date(-1) == "1999-12-31");
    CHECK(date(-730'119) == "0001-01-01");
    CHECK(date(-730'120) == "0001-12-31 BC");
    CHECK(date(2'921'940) == "10000-01-01");
    CHECK(date(-2'451'545) == "4714-11-24 BC");
    CHECK(date(2'145'031'948) == "5874897-12-31");
    CHECK_FALSE(date(-2'451'546));
    CHECK_FALSE(date(2'145'031'949));
    CHECK(date(std::numeric_limits<std::int32_t>::max()) == "infinity");
    CHECK(date(std::numeric_limits<std::int32_t>::min()) == "-infinity");
}

TEST_CASE("A timestamp is written to the microsecond, and with its zone", "[storage]") {
    const auto moment = [](std::int64_t microseconds) {
        return time_text(ColumnType::timestamptz, microseconds);
    };
    CHECK(moment(0) == "2000-01-01 00:00:00.000000+00");
    CHECK(moment(-1) == "1999-12-31 23:59:59.999999+00");
    CHECK(moment(59 * day + 3'723'000'004) == "2000-02-29 01:02:03.000004+00");
    CHECK(moment(-730'120 * day) == "0001-12-31 00:00:00.000000+00 BC");
    CHECK(moment(-211'813'488'000'000'000) == "4714-11-24 00:00:00.000000+00 BC");
    CHECK(moment(9'223'371'331'199'999'999) == "294276-12-31 23:59:59.999999+00");
    CHECK_FALSE(moment(9'223'371'331'200'000'000));
    CHECK(moment(std::numeric_limits<std::int64_t>::max()) == "infinity");
    CHECK(moment(std::numeric_limits<std::int64_t>::min()) == "-infinity");
    CHECK(time_text(ColumnType::timestamp, 1) == "2000-01-01 00:00:00.000001");
    CHECK_FALSE(time_text(ColumnType::int8, 1));
}

TEST_CASE("A key's value is a text, where it is of its column's type", "[storage]") {
    CHECK(key_text(column(21), "\xff\xfe"s) == "-2");
    CHECK(key_text(column(23), "\0\0\1\0"s) == "256");
    CHECK(key_text(column(20), "\x80\0\0\0\0\0\0\0"s) == "-9223372036854775808");
    CHECK(key_text(column(25), "a 'b'") == "a 'b'");
    CHECK(key_text(column(1043), "") == "");
    CHECK(key_text(column(1082), "\0\0\0\x3b"s) == "2000-02-29");
    CHECK(key_text(column(1114), "\0\0\0\0\0\0\0\1"s) == "2000-01-01 00:00:00.000001");
    CHECK(
        key_text(
            column(2950), "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"s
        ) == "01234567-89ab-cdef-0123-456789abcdef"
    );
    for (const std::uint32_t type : {21U, 23U, 20U, 1082U, 1114U, 1184U, 2950U}) {
        CHECK(is_key_type(type));
        CHECK_FALSE(key_text(column(type), "abc"));
        CHECK_FALSE(key_text(column(type), ""));
    }
    for (const std::uint32_t type : {16U, 700U, 701U, 1700U, 3802U, 1007U}) {
        CHECK_FALSE(is_key_type(type));
        CHECK_FALSE(key_text(column(type), "\0\0\0\1"s));
    }
}
