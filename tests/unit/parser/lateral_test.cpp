#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace veer::parser;

namespace {

std::string read(
    const std::string& values,
    const std::string& join,
    const std::string& select,
    const std::string& end = " r"
) {
    return describe_sql(
        "select r.* from (values " + values + ") q (n, v)" + join + "(" + select + ")" + end
    );
}

constexpr const char* search = "select id from t order by t.e <-> q.v limit 3";
constexpr const char* cross = " cross join lateral ";

}  // namespace

TEST_CASE("A search by the vector of the only row of VALUES is one by that vector", "[parser]") {
    const std::string expected = "t.e <-> '0::vector limit 3 left join t inside: id";
    CHECK(read("(1, '[1]'::vector)", cross, search) == expected);
    CHECK(read("(1, '[1]'::vector)", ", lateral ", search) == expected);
    CHECK(read("(1, '[1]'::vector)", " join lateral ", search, " r on true") == expected);
    CHECK(
        read("(1, $1::vector(3))", cross, search) ==
        "t.e <-> $1::vector(3) limit 3 left join t inside: id"
    );
    CHECK(
        read(
            "(1, '[1]'::vector)",
            cross,
            "select t.e <-> q.v as d from t where n < q.n order by d limit $1"
        ) == "t.e <-> '0::vector limit $1 by d left join t where inside: dist d '0::vector"
    );
    CHECK(
        describe_sql("select 1 from (values ('[1]'::vector)) q, lateral (select id from t order by "
                     "e <-> q.column1 limit 3) r") == expected
    );
}

TEST_CASE("A search for each of several rows of VALUES has all their vectors", "[parser]") {
    CHECK(
        read("(1, '[1]'::vector), (2, '[2]'), (3, $1::vector)", cross, search) ==
        "t.e <-> '0::vector, '1, $1::vector of q.v limit 3 left join t inside: id"
    );
    CHECK(
        describe_sql(
            "select q.n, r.d from (values (1, '[1]'::vector, '[2]'::vector), (2, '[3]', '[4]')) q "
            "(n, v, w), lateral (select t.e <-> q.w d from t order by t.e <-> q.w limit 3) r"
        ) == "t.e <-> '1::vector, '3 of q.w limit 3 left join t inside: dist d '1::vector"
    );
}

TEST_CASE("What may have other rows than the search is not taken for it", "[parser]") {
    const std::string row = "(1, '[1]'::vector)";
    CHECK(read(row + ", (2, null)", cross, search) == "no_distance_order");
    CHECK(read(row + ", (2, '[2]'), (3)", cross, search) == "no_distance_order");
    CHECK(read("(1, '[1]'), (2, '[2]'::vector)", cross, search) == "no_distance_order");
    CHECK(read(row + ", (2, '[2]'::halfvec)", cross, search) == "no_distance_order");
    CHECK(read(row + ", (2, '[2]'::public.vector)", cross, search) == "no_distance_order");
    CHECK(
        read(row + ", (2, '[2]')", cross, "select id from t order by t.e <-> '[3]' limit 3") ==
        "query_vector"
    );
    CHECK(
        read(row + ", (2, '[2]')", " left join lateral ", search, " r on true") ==
        "no_distance_order"
    );
    CHECK(read(row, " left join lateral ", search, " r on true") == "no_distance_order");
    CHECK(read(row, " join lateral ", search, " r on r.id > 5") == "no_distance_order");
    CHECK(read(row, cross, search, " r limit 2") == "no_distance_order");
    CHECK(read(row, cross, search, " r where q.n > 0") == "no_distance_order");
    CHECK(
        describe_sql(
            "select count(*) from (values ('[1]'::vector)) q (v), lateral (select id from t order "
            "by e <-> q.v limit 3) r"
        ) == "no_distance_order"
    );
    CHECK(read("(1, '[1]')", cross, search) == "no_distance_order");  // a text
    CHECK(read(row, cross, "select id from t limit 3") == "no_distance_order");
}

TEST_CASE("A table of the search hides one around it of the same name", "[parser]") {
    const std::string row = "(1, '[1]'::vector)";
    CHECK(
        read(
            row, cross, "select t.id from t join u q on q.id = t.id order by t.e <-> q.v limit 3"
        ) == "query_vector"
    );
    CHECK(read(row, cross, "select id from q order by q.e <-> q.v limit 3") == "query_vector");
    CHECK(read(row, cross, "select id from t order by t.e <-> q.w limit 3") == "query_vector");
}
