#include "router/filter_object.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

namespace {

std::string conditions(std::string_view json) {
    return conditions_of(json, "t").value_or("none");
}

}  // namespace

TEST_CASE("A filter's members are conditions of columns", "[router]") {
    CHECK(conditions("{}").empty());
    CHECK(
        conditions(R"({"a": 3, "B b": "it's", "c": true, "d": null, "e": -1.5e3})") ==
        R"( AND "t"."a" = '3' AND "t"."B b" = 'it''s' AND "t"."c" = 'true' )"
        R"(AND "t"."d" IS NULL AND "t"."e" = '-1.5e3')"
    );
    CHECK(conditions(R"( { "a" : [ 1 , "x" ] } )") == R"( AND "t"."a" IN ('1', 'x'))");
    CHECK(
        conditions(R"({"n":{"$gte":2,"$lt":"9"},"k":{"$nin":[1]}})") ==
        R"( AND "t"."n" >= '2' AND "t"."n" < '9' AND "t"."k" NOT IN ('1'))"
    );
    CHECK(
        conditions(R"({"meta": {"k": ["v", {"w": 1}]}})") ==
        R"( AND "t"."meta" @> '{"k": ["v", {"w": 1}]}')"
    );
    CHECK(
        conditions(R"({"m": {}, "a\"b": "c\\d\/\u00e9\ud83d\ude00\n"})") ==
        " AND \"t\".\"m\" @> '{}' AND \"t\".\"a\"\"b\" = 'c\\d/\u00e9\U0001F600\n'"
    );
}

TEST_CASE("What is no such object is no filter", "[router]") {
    for (const char* const text :
         {"",
          "3",
          "[]",
          "{",
          "{\"a\"}",
          "{\"a\": }",
          "{\"a\": 1,}",
          "{\"a\": 1} x",
          "{a: 1}",
          "{\"a\": nul}",
          "{\"a\": 1x}",
          "{\"a\": \"\\x\"}",
          "{\"a\": \"\\u0000\"}",
          "{\"a\": \"\\ud800\"}",
          "{\"a\": \"\\udc00x\"}",
          "{\"a\": \"x",
          "{\"\": 1}",
          "{\"a\": []}",
          "{\"a\": [null]}",
          "{\"a\": [[1]]}",
          "{\"a\": {\"$about\": 1}}",
          "{\"a\": {\"$gt\": null}}",
          "{\"a\": {\"$gt\": 1, \"b\": 2}}",
          "{\"a\": -}",
          "{\"a\": +}",
          "{\"a\": \"\n\"}"}) {
        CAPTURE(text);
        CHECK(conditions(text) == "none");
    }
    std::string deep = "{\"a\": ";
    deep.append(100'000, '[');
    CHECK(conditions(deep) == "none");
}

}  // namespace veer::router
