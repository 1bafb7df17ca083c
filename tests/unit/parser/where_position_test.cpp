#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

/// The client's text with a condition put where recognise() says that it may be put.
std::string with_condition(std::string_view sql) {
    const NormalisedStatement statement = normalise(sql);
    const Recognition recognition = recognise(statement.text);
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(recognition));
    const auto& query = std::get<NearestNeighbourQuery>(recognition);
    std::string rewritten(sql);
    rewritten.insert(statement.original_position(query.where_position), "WHERE id = ANY($9) ");
    return rewritten;
}

}  // namespace

TEST_CASE("A condition can be put before ORDER BY", "[parser]") {
    CHECK(
        with_condition("select id from t order by e <-> '[1,2,3]' limit 5") ==
        "select id from t WHERE id = ANY($9) order by e <-> '[1,2,3]' limit 5"
    );
    CHECK(
        with_condition("select 1-(e <=> '[1,2,3,4,5]') from t\nORDER\n BY e <=> '[1]' limit 5") ==
        "select 1-(e <=> '[1,2,3,4,5]') from t\nWHERE id = ANY($9) ORDER\n BY e <=> '[1]' limit 5"
    );
}

TEST_CASE("The text with the condition parses, and only gains a filter", "[parser]") {
    for (const auto* sql : {
             "select id from t order by e <-> $1 limit 5",
             "select id from t -- order by x\norder by e <-> $1 limit 5",
             "select id from t /* order by x */ order/**/by e <-> $1 limit 5 -- order by y",
             "select \"order by\" from t order by e <-> $1 limit 5",
             "select id as \"order\" from t as \"by\" order by e <-> $1 limit 5",
             "select t.order, by from t order by e <-> $1 limit 5",
             "select id as order from t order by e <-> $1 limit 5",
             "select 1 - (e <=> 'order by') as d from t order by e <=> 'order by' limit 5",
             "select id,e<=>$1\"d\"from t order by\"d\"limit 5",
             "select id from t order by e <=> array[1,2,3]::vector limit 5;",
             "select id from s.t as größe order by größe.e <=> '[ü]' fetch first 5 rows only",
         }) {
        CAPTURE(sql);
        const std::string rewritten = with_condition(sql);
        CAPTURE(rewritten);
        CHECK(describe_sql(rewritten) == "filter");
    }
}

TEST_CASE("The position is one of the normalised text", "[parser]") {
    const NormalisedStatement statement =
        normalise("select e <-> '[1,2,3,4,5,6,7,8,9]' from t order by 1 limit 5");
    const Recognition recognition = recognise(statement.text);
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(recognition));
    const std::size_t position = std::get<NearestNeighbourQuery>(recognition).where_position;
    CHECK(statement.text.substr(position, 8) == "order by");
}
