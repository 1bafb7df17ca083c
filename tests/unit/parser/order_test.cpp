#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

std::string with_order(std::string_view order) {
    return describe_sql("select id from t order by " + std::string(order) + " limit 5");
}

bool excludes_nulls(std::string_view sql) {
    const Recognition recognition = recognise(normalise(sql).text);
    const auto* const query = std::get_if<NearestNeighbourQuery>(&recognition);
    REQUIRE(query != nullptr);
    return query->nulls_excluded;
}

}  // namespace

TEST_CASE(
    "A number that falls as the distance rises may be the order, the largest first", "[parser]"
) {
    const std::string falling = "t.e <=> $1 limit 5 falling: id";
    for (const std::string_view order :
         {"1 - (e <=> $1) desc",
          "1 - (e <=> $1) desc nulls last",
          "(e <=> $1) * -1 desc",
          "-1 * (e <=> $1) desc",
          "- (e <=> $1) desc",
          "(2 - (e <=> $1)) / 2 desc",
          "1 - (e <=> $1) / 2 desc",
          "1.0 - 0.5 * (e <=> $1) desc",
          "1 + (e <=> $1)",
          "1 + (e <=> $1) asc",
          "(e <=> $1) * 100"}) {
        CAPTURE(order);
        CHECK(with_order(order) == falling);
    }
}

TEST_CASE("The order by a similarity is found under an output's label, too", "[parser]") {
    CHECK(
        describe_sql("select id, (e <#> $1) * -1 as s from t order by s desc limit 5") ==
        "t.e <#> $1 limit 5 by s falling: id, expr s"
    );
    CHECK(
        describe_sql("select id, 1 - (e <=> $1) as s from t order by 2 desc limit 5") ==
        "t.e <=> $1 limit 5 falling: id, sim s $1"
    );
}

TEST_CASE("Keys behind the distance are tie-breakers", "[parser]") {
    CHECK(with_order("e <=> $1, id") == "t.e <=> $1 limit 5 then: id");
    CHECK(with_order("e <=> $1, id desc nulls last, 1") == "t.e <=> $1 limit 5 then: id");
    CHECK(with_order("1 - (e <=> $1) desc, lower(a)") == "t.e <=> $1 limit 5 falling then: id");
    CHECK(with_order("e <=> $1, a::int") == "t.e <=> $1 limit 5 then !: id");
    CHECK(
        describe_sql("select id, e <=> $1 as d from t order by d, id limit 5") ==
        "t.e <=> $1 limit 5 by d then: id, dist d $1"
    );
}

TEST_CASE("It is known where rows without a vector cannot be in the answer", "[parser]") {
    const std::string begin = "select id from t where ";
    const std::string end = " order by 1 - (e <=> $1) desc limit 5";
    CHECK(excludes_nulls("select id from t order by e <=> $1 limit 5"));
    CHECK_FALSE(excludes_nulls("select id from t" + end));
    CHECK(excludes_nulls("select id from t order by 1 - (e <=> $1) desc nulls last limit 5"));
    CHECK(excludes_nulls(begin + "e is not null" + end));
    CHECK(excludes_nulls(begin + "a = 1 and t.e is not null" + end));
    CHECK(excludes_nulls(begin + "1 - (e <=> $1) > $2" + end));
    CHECK(excludes_nulls(begin + "(e <=> $1) < 0.5" + end));
    CHECK_FALSE(excludes_nulls(begin + "f is not null" + end));
    CHECK_FALSE(excludes_nulls(begin + "a = 1 or e is not null" + end));
    CHECK_FALSE(excludes_nulls(begin + "(e <=> $1) < 0.5 is not true" + end));
}
