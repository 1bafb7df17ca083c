#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

/// The client's text with a condition put where recognise() says that it may be put.
std::string with_condition(std::string_view sql) {
    const NormalisedStatement statement = normalise(sql);
    const Recognition recognition = recognise(statement.text);
    CAPTURE(describe(recognition));
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(recognition));
    Clauses clauses = std::get<NearestNeighbourQuery>(recognition).clauses;
    clauses.order = statement.original_position(clauses.order);
    if (clauses.condition) {
        clauses.condition = statement.original_position(*clauses.condition);
    }
    return add_condition(sql, clauses, "id = ANY($9)");
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

TEST_CASE("A condition that is there stays where it is, in parentheses", "[parser]") {
    CHECK(
        with_condition("select id from t where a = 'x' or b\norder by e <-> '[1,2,3]' limit 5") ==
        "select id from t where(a = 'x' or b\n) AND id = ANY($9) order by e <-> '[1,2,3]' limit 5"
    );
    CHECK(
        with_condition("select id from t where(a) order by e <-> $1 limit 5") ==
        "select id from t where((a) ) AND id = ANY($9) order by e <-> $1 limit 5"
    );
    CHECK(
        with_condition("select id from t where--'\n a -- or\norder by e <-> $1 limit 5") ==
        "select id from t where(--'\n a -- or\n) AND id = ANY($9) order by e <-> $1 limit 5"
    );
}

TEST_CASE("A place in the text with the condition is found in the text without it", "[parser]") {
    constexpr std::string_view key = "ü = 1";
    for (const std::string_view text :
         {"select 'é→', id from t order by e <-> $1 limit 5",
          "select 'é→', id from t where a = 'ß' order by e <-> $1 limit 5",
          "select 'é→', id from t where(a = 'ß') order by e <-> $1 limit 5"}) {
        CAPTURE(text);
        const std::size_t condition = text.find(" a = 'ß' ");
        const std::size_t tight = text.find("(a");
        Clauses clauses;
        clauses.order = text.find("order by");
        if (condition != std::string_view::npos || tight != std::string_view::npos) {
            clauses.condition = std::min(condition, tight);
        }
        const std::string changed = add_condition(text, clauses, key);
        for (const std::string_view word : {"select", "id", "a =", "order", "limit"}) {
            const std::size_t there = changed.find(word);
            if (there != std::string::npos) {
                const std::size_t position = 1 + characters(changed.substr(0, there));
                CHECK(
                    position_before(text, clauses, changed, position) ==
                    1 + characters(text.substr(0, text.find(word)))
                );
            }
        }
        const std::size_t in_key = 1 + characters(changed.substr(0, changed.find(key)));
        const std::size_t order = 1 + characters(text.substr(0, clauses.order));
        CHECK(position_before(text, clauses, changed, in_key) == order);
        CHECK(position_before(text, clauses, changed, 1'000'000) == 1 + characters(text));
    }
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
             "select id from t where a order by e <-> $1 limit 5",
             "select id as where from t where a = 1 or b order by e <-> $1 limit 5",
             "select t.where from t where t.where order by e <-> $1 limit 5",
             "select id as where, by from t order by e <-> $1 limit 5",
             "select a from t where \"where\" = 'where' /* where */ order by e <-> $1 limit 5",
             "select id from t where (a or (b)) and not c order by e <-> $1 limit 5",
             "select id from t where(a)order by e <-> $1 limit 5",
             "select id from t where a in ('x', 'order by') order by e <-> '[1]' limit 5",
             "select id from t where a like E'\\'%' or b = U&'x' order by e <-> '[1]' limit 5",
         }) {
        CAPTURE(sql);
        const std::string rewritten = with_condition(sql);
        CAPTURE(rewritten);
        const std::string described = describe_sql(rewritten);
        CHECK(described.find(" where") != std::string::npos);
    }
}

TEST_CASE("What follows WHERE keeps its place", "[parser]") {
    constexpr std::string_view sql = "select id from t where größe = 1 order by e <-> $1 limit 5";
    CHECK(with_condition(sql).find("größe") == sql.find("größe"));
}

TEST_CASE("The position is one of the normalised text", "[parser]") {
    const NormalisedStatement statement =
        normalise("select e <-> '[1,2,3,4,5,6,7,8,9]' from t where a = 'xyz' order by 1 limit 5");
    const Recognition recognition = recognise(statement.text);
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(recognition));
    const Clauses& clauses = std::get<NearestNeighbourQuery>(recognition).clauses;
    CHECK(statement.text.substr(clauses.order, 8) == "order by");
    CHECK(statement.text.substr(clauses.condition.value(), 3) == " a ");
}
