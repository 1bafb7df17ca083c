#include "config/suggest.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>

using veer::config::suggest;

namespace {

constexpr std::array<std::string_view, 3> known{"percent", "freshness_wait", "salt"};

}  // namespace

TEST_CASE("A word within two edits is suggested", "[config]") {
    CHECK(suggest("percnt", known) == "percent");
    CHECK(suggest("precent", known) == "percent");
    CHECK(suggest("sallt", known) == "salt");
}

TEST_CASE("A beginning, or a longer word, is suggested", "[config]") {
    CHECK(suggest("freshness", known) == "freshness_wait");
    CHECK(suggest("percentage", known) == "percent");
}

TEST_CASE("An unlike word is not suggested", "[config]") {
    CHECK(!suggest("colour", known));
    CHECK(!suggest("s", known));
    CHECK(!suggest(std::string(1000, 'p'), known));
}
