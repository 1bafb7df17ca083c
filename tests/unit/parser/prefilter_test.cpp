#include "parser/recognise.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using veer::parser::mentions_distance_operator;

TEST_CASE("Each of the six operators is found wherever it stands", "[parser]") {
    for (const auto* symbol : {"<->", "<=>", "<#>", "<+>", "<~>", "<%>"}) {
        CAPTURE(symbol);
        CHECK(mentions_distance_operator(symbol));
        CHECK(mentions_distance_operator(std::string("select e") + symbol + "$1"));
        CHECK(mentions_distance_operator(std::string("a < b <") + symbol));
        CHECK(mentions_distance_operator(std::string(1000, '<') + symbol + "x"));
    }
}

TEST_CASE("Other comparisons are not taken for a distance", "[parser]") {
    for (const auto* sql :
         {"",
          "<",
          "<-",
          "a <> b",
          "a <= b",
          "a <- >",
          "a <*> b",
          "a << b >> c",
          "select 1",
          "<-",
          "x <=",
          "<\0>",
          "a <@ b"}) {
        CAPTURE(sql);
        CHECK(!mentions_distance_operator(sql));
    }
    CHECK(!mentions_distance_operator(std::string_view("<\0>", 3)));
}
