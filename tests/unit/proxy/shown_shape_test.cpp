#include "proxy/shown_shape.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::proxy {

namespace {

std::string shown(std::string_view shape) {
    return shown_shape(shape, 300);
}

}  // namespace

TEST_CASE("No constant of a statement is shown", "[proxy]") {
    CHECK(
        shown("CREATE ROLE matchmaker PASSWORD 'secret' VALID UNTIL E'it\\'s'") ==
        "CREATE ROLE matchmaker PASSWORD ? VALID UNTIL ?"
    );
    CHECK(
        shown("SELECT id FROM t WHERE tag = ANY (ARRAY['a','b']) AND n IN (1, 2.5e3) LIMIT 5") ==
        "SELECT id FROM t WHERE tag = ANY (ARRAY[?,?]) AND n IN (?, ?) LIMIT ?"
    );
    CHECK(
        shown("SELECT $tag$secret$tag$, $$x$$, U&'y', B'01', X'ff', N'z', $1, $32768") ==
        "SELECT ?, ?, ?, ?, ?, ?, $1, $32768"
    );
    CHECK(
        shown("SELECT \"Name 5\", t5 /* of o'brien */ FROM t -- 'who'\n WHERE e <-> $1 < .5") ==
        "SELECT \"Name 5\", t5 FROM t WHERE e <-> $1 < ?"
    );
    CHECK(shown("SELECT 'cut short") == "SELECT");
    CHECK(shown("SELECT $x$cut short") == "SELECT");
    CHECK(shown("").empty());
}

TEST_CASE("What is shown is UTF-8, whatever was said", "[proxy]") {
    const std::string umlaut = "\xc3\xa4";
    CHECK(
        shown("SELECT " + umlaut + " FROM \"\xe2\x82\xac\xf0\x9f\x98\x80\"") ==
        "SELECT " + umlaut + " FROM \"\xe2\x82\xac\xf0\x9f\x98\x80\""
    );
    CHECK(shown("SELECT \xe4 FROM t") == "SELECT ? FROM t");
    CHECK(shown("SELECT \"\xc0\x80\xed\xa0\x80\xf5\xff\xe2\x82\"") == "SELECT \"?????????\"");
}

TEST_CASE("A shape is cut where a character begins", "[proxy]") {
    const std::string_view shape = "SELECT \xc3\xa4\xc3\xa4\xc3\xa4";
    CHECK(shown_shape(shape, 13) == shape);
    CHECK(shown_shape(shape, 12) == "SELECT \xc3\xa4\xc3\xa4");
    CHECK(shown_shape(shape, 11) == "SELECT \xc3\xa4\xc3\xa4");
    CHECK(shown_shape(shape, 0).empty());
}

}  // namespace veer::proxy
