#include "storage/lsn.hpp"

#include <catch2/catch_test_macros.hpp>

using veer::storage::Lsn;
using veer::storage::normalise_insert_lsn;
using veer::storage::parse_lsn;

TEST_CASE("An LSN reads and writes as in Postgres", "[storage]") {
    CHECK(to_string(Lsn{0x16B374D848}) == "16/B374D848");
    CHECK(to_string(Lsn{}) == "0/0");
    CHECK(parse_lsn("16/B374D848") == Lsn{0x16B374D848});
    CHECK(parse_lsn("ffffffff/ffffffff") == Lsn{~std::uint64_t{0}});
}

TEST_CASE("What is no LSN is nowhere", "[storage]") {
    for (const char* const text :
         {"",
          "/",
          "1",
          "1/",
          "/1",
          "1/2/3",
          "x/1",
          "1/x",
          "1/ 2",
          "-1/1",
          "1/123456789",
          "0x1/1"}) {
        CHECK(parse_lsn(text) == Lsn{});
    }
}

TEST_CASE("An insert position behind a page header is where the last record ended", "[storage]") {
    constexpr std::uint64_t block = 8192;
    constexpr std::uint64_t segment = 16U << 20U;
    CHECK(normalise_insert_lsn({3 * block + 24}, block, segment) == Lsn{3 * block});
    CHECK(normalise_insert_lsn({2 * segment + 40}, block, segment) == Lsn{2 * segment});
    CHECK(normalise_insert_lsn({3 * block + 40}, block, segment) == Lsn{3 * block + 40});
    CHECK(normalise_insert_lsn({3 * block + 25}, block, segment) == Lsn{3 * block + 25});
    CHECK(normalise_insert_lsn({7}, 0, 0) == Lsn{7});
}
