#include "config/quantity.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::config;
using std::chrono::milliseconds;

TEST_CASE("A duration is a whole number and its unit", "[config]") {
    CHECK(parse_duration("50ms") == milliseconds(50));
    CHECK(parse_duration("2s") == milliseconds(2000));
    CHECK(parse_duration("1m") == milliseconds(60'000));
    CHECK(parse_duration("1h") == milliseconds(3'600'000));
    CHECK(parse_duration("0ms") == milliseconds(0));
}

TEST_CASE("Anything else is no duration", "[config]") {
    for (const auto* text :
         {"",
          "50",
          "ms",
          "-1s",
          "+1s",
          "1.5s",
          "1 s",
          "1S",
          "1d",
          "1s ",
          " 1s",
          "99999999999999999999s",
          "9223372036854775807h"}) {
        CAPTURE(text);
        CHECK(!parse_duration(text));
    }
}

TEST_CASE("A duration is shown with the largest unit that stays whole", "[config]") {
    CHECK(to_string(milliseconds(0)) == "0ms");
    CHECK(to_string(milliseconds(1500)) == "1500ms");
    CHECK(to_string(milliseconds(10'000)) == "10s");
    CHECK(to_string(milliseconds(120'000)) == "2m");
}

TEST_CASE("A size has a binary unit", "[config]") {
    CHECK(parse_bytes("4MiB") == 4ULL << 20U);
    CHECK(parse_bytes("64KiB") == 64ULL << 10U);
    CHECK(parse_bytes("1GiB") == 1ULL << 30U);
    CHECK(parse_bytes("7B") == 7U);
    CHECK(!parse_bytes("4MB"));
    CHECK(!parse_bytes("4"));
    CHECK(bytes_to_string(4ULL << 20U) == "4MiB");
    CHECK(bytes_to_string(1025) == "1025B");
}

TEST_CASE("A share is shown without needless digits", "[config]") {
    CHECK(number_to_string(25) == "25");
    CHECK(number_to_string(0.5) == "0.5");
    CHECK(number_to_string(0) == "0");
}
