#include "proxy/log.hpp"

#include <catch2/catch_test_macros.hpp>

using veer::proxy::one_line;

TEST_CASE("nobody's words make a line of the log of their own") {
    CHECK(one_line("plain, ünïcode too") == "plain, ünïcode too");
    CHECK(one_line("a\n2026-01-01 error all is lost") == R"(a\n2026-01-01 error all is lost)");
    CHECK(one_line("\r\t\x1b[2J\x7f") == R"(\r\t\x1b[2J\x7f)");
    CHECK(one_line(std::string_view("\0", 1)) == R"(\x00)");
    CHECK(one_line("").empty());
}
