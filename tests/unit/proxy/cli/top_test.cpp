#include "proxy/cli/top.hpp"

#include <catch2/catch_test_macros.hpp>

using veer::proxy::cli::Top;

TEST_CASE("what takes traffic back is said at once, the rest after a y") {
    Top top;
    top.show({"a <=>", "b's"});
    CHECK(top.press('r') == "ROLLBACK 'a <=>'");
    CHECK(top.press('P') == "PANIC");
    CHECK(top.press('p').empty());
    CHECK(top.line().starts_with("PROMOTE 'a <=>'?"));
    CHECK(top.press('y') == "PROMOTE 'a <=>'");
    CHECK(top.press('y').empty());  // once
    CHECK(top.press('s').empty());
    CHECK(top.press('\0').empty());  // time passes
    CHECK(top.press('x').empty());
    CHECK(top.press('y').empty());
    CHECK(top.press('2').empty());
    CHECK(top.route() == "b's");
    CHECK(top.press('h') == "HOLD 'b''s'");
    CHECK_FALSE(top.over());
    CHECK(top.press('q').empty());
    CHECK(top.over());
}

TEST_CASE("a route that has gone is not moved, and no other in its place") {
    Top top;
    CHECK(top.press('r').empty());
    CHECK(top.press('P') == "PANIC");
    top.show({"a", "b"});
    top.press('2');
    top.show({"b", "c"});
    CHECK(top.route() == "b");
    top.press('p');
    top.show({"c"});
    CHECK(top.press('y').empty());
    CHECK(top.route() == "c");
    top.press('9');
    CHECK(top.route() == "c");
}
