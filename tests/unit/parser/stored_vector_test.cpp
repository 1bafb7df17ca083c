#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

NearestNeighbourQuery recognised(std::string_view text) {
    const Recognition recognition = recognise(text);
    CAPTURE(describe(recognition));
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(recognition));
    return std::get<NearestNeighbourQuery>(recognition);
}

}  // namespace

TEST_CASE("A query vector may stand in a row, which a sub-select names", "[parser]") {
    const std::string_view sql =
        "select id from t where id <> $1 order by e <=> (select t.e from t where id = $1) limit 5";
    const NearestNeighbourQuery query = recognised(sql);
    CHECK(describe(Recognition(query)) == "t.e <=> (t.e) limit 5 where: id");
    REQUIRE(query.vector.stored);
    const StoredVector& stored = *query.vector.stored;
    CHECK(
        sql.substr(stored.begin, stored.end - stored.begin) == "(select t.e from t where id = $1)"
    );
    CHECK(stored.condition.kind == Condition::Kind::compare);
    CHECK(stored.condition.column == "id");
}

TEST_CASE("Its own table is no further one; another is", "[parser]") {
    CHECK(recognised("select id from t order by e <=> (select e from t where a = 1) limit 5")
              .joined.empty());
    const auto query = recognised(
        "select id from s.t order by e <=> ((select q.e from t q where q.a = 'x)' limit 1)) limit 5"
    );
    CHECK(query.joined == std::vector<JoinedTable>{{std::nullopt, "t"}});
    CHECK_FALSE(query.inner_join);
}

TEST_CASE("A distance to it may be an output, and the label what is ordered by", "[parser]") {
    CHECK(
        describe_sql(
            "select id, e <=> (select e from t where id = 7) as d from t order by d limit 5"
        ) == "t.e <=> (t.e) limit 5 by d: id, dist d (t.e)"
    );
    const auto query = recognised(
        "select 1 - (e <=> (select e from t where id = 7)) from t "
        "order by e <=> (select e from t where id = 7) limit 5"
    );
    CHECK(query.outputs.front().vector == query.vector);
}

TEST_CASE("Sub-selects that are understood by half are not the same", "[parser]") {
    const auto query = recognised(
        "select e <=> (select e from t where a + 1 = 7) from t "
        "order by e <=> (select e from t where a + 1 = 8) limit 5"
    );
    CHECK_FALSE(query.outputs.front().vector == query.vector);
}

TEST_CASE("Other sub-selects in a condition stay with PostgreSQL", "[parser]") {
    CHECK(
        describe_sql("select id from t where a = (select a from t where id = 7) "
                     "order by e <=> $1 limit 5") == "subquery"
    );
}
