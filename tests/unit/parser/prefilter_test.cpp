#include "parser/function_call.hpp"
#include "parser/recognise.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using veer::parser::mentions_call;
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

TEST_CASE("A call is seen by its name and its parenthesis", "[parser]") {
    for (const auto* sql :
         {"match(",
          "SELECT * FROM match($1)",
          "SELECT * FROM \"public\".\"match\" ($1)",
          "SELECT * FROM public.MATCH\n\t($1)",
          "SELECT matchmaker(1), rematch(2), match (3)"}) {
        CAPTURE(sql);
        CHECK(mentions_call(sql, "match"));
    }
    for (const auto* sql :
         {"",
          "match",
          "CREATE ROLE matchmaker PASSWORD 'x'",
          "SELECT matches(1), rematch(2), $match(3), _match(4), \xc3\xa4match(5), match_all(6)",
          "SELECT match FROM t WHERE (match)"}) {
        CAPTURE(sql);
        CHECK_FALSE(mentions_call(sql, "match"));
    }
    CHECK_FALSE(mentions_call("f()", ""));
}
