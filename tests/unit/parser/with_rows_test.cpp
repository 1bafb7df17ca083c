#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace veer::parser;

namespace {

constexpr const char* with_vector = "with q as (select '[1]'::vector as v) ";

std::string read(const std::string& select, const std::string& with = with_vector) {
    return describe_sql(with + select);
}

}  // namespace

TEST_CASE("A search by a vector of WITH is one by that vector", "[parser]") {
    const std::string expected = "t.e <-> '0::vector limit 3 left join t inside: id";
    CHECK(read("select id from t, q order by e <-> q.v limit 3") == expected);
    CHECK(read("select id from q, t order by q.v <-> e limit 3") == expected);
    CHECK(read("select id from t cross join q order by e <-> q.v limit 3") == expected);
    CHECK(
        read("select id from t a, q b order by a.e <-> b.v limit 3") ==
        "t a.e <-> '0::vector limit 3 left join t inside: id"
    );
    const char* const search = "select id from t, q order by e <-> q.v limit 3";
    CHECK(read(search, "with q (v) as (select '[1]'::vector) ") == expected);
    CHECK(
        read(search, "with q as not materialized (select 1 as n, '[1]'::vector as v) ") == expected
    );
    CHECK(
        read(search, "with q as (select $1::vector(3) as v, $2 as n) ") ==
        "t.e <-> $1::vector(3) limit 3 left join t inside: id"
    );
    CHECK(
        read("select id, e <-> q.v as d from t, q where n > 1 order by d limit 3") ==
        "t.e <-> '0::vector limit 3 by d left join t where inside: id, dist d '0::vector"
    );
    CHECK(
        read(
            "select id from t, q, r order by t.e <-> r.w limit 3",
            "with q as (select '[1]'::vector as v), r as (select '[2]'::vector as w) "
        ) == "t.e <-> '1::vector limit 3 left join t inside: id"
    );
}

TEST_CASE("Its vector may be selected, as often as wanted, however it is kept", "[parser]") {
    const std::string expected = "t.e <-> '0::vector limit 3 left join t inside: id";
    const char* const search = "select id from t order by e <-> (select v from q) limit 3";
    CHECK(read(search) == expected);
    CHECK(read("select id from t order by (select q.v from q) <-> e limit 3") == expected);
    CHECK(
        read("select id from t order by e <-> (select b.v from q as b limit 1) limit 3") == expected
    );
    CHECK(read(search, "with q as materialized (select 1 as n, '[1]'::vector as v) ") == expected);
    CHECK(
        read("select id, e <-> (select v from q) as d from t order by e <-> (select v from q) "
             "limit 3") == "t.e <-> '0::vector limit 3 left join t inside: id, dist d '0::vector"
    );
    CHECK(
        read("select id from t where e <-> (select v from q) < 2 order by e <-> (select v from q) "
             "limit 3") == "t.e <-> '0::vector limit 3 left join t where inside: id"
    );
    CHECK(
        read("select t.id from t join u on u.id = t.u order by t.e <-> (select v from q) limit 3"
        ) == "t.e <-> '0::vector limit 3 join t join u inside: id"
    );
}

TEST_CASE("Other selects of it are no vector", "[parser]") {
    for (const char* const order :
         {"(select w from q)",
          "(select e from q)",
          "(select v from only q)",
          "(select v from q b (v))",
          "(select q.v from q b)",
          "(select v from q limit 2)",
          "(select v from q offset 1)",
          "(select v from q, u)",
          "(select v from q order by 1)",
          "(select max(v) from q)",
          "(select v + v from q)",
          "(select (select v from q))",
          "array(select v from q)",
          "(select v from q)::vector"}) {
        CAPTURE(order);
        CHECK(
            read(std::string("select id from t order by e <-> ") + order + " limit 3") ==
            "query_vector"
        );
    }
    CHECK(read("select id from t order by e <-> (select v from s.q) limit 3") == "with_clause");
    CHECK(
        read("select id from t order by e <-> (select v from q where true) limit 3") ==
        "with_clause"
    );
    const std::string rest = " order by e <-> (select v from q) limit 3";
    CHECK(read("select id, (select n from q) from t" + rest) == "subquery");
    CHECK(
        read("select id, rank() over (order by e <-> (select x.v from q x)) from t" + rest) ==
        "with_clause"
    );  // two orders to PostgreSQL, which sorts all rows
    CHECK(read("select id from t where n in (select v from q)" + rest) == "with_clause");
    CHECK(read("select id from t, q" + rest) == "with_clause");
    CHECK(
        read("select id from t" + rest, "with q as (select e as v from t where id = 7) ") ==
        "with_clause"
    );
}

TEST_CASE("Conditions of a join with it are conditions of the search", "[parser]") {
    CHECK(
        read("select t.id from t join q on t.n = q.n order by t.e <-> q.v limit 3") ==
        "t.e <-> '0::vector limit 3 join t inside: id"
    );
    CHECK(
        read("select t.id from t join u on u.id = t.u, q order by t.e <-> q.v limit 3") ==
        "t.e <-> '0::vector limit 3 join t join u inside: id"
    );
}

TEST_CASE("Its only row may be missing, or its vector be another's: no search", "[parser]") {
    CHECK(
        read("select id from t left join q on n = 1 order by e <-> q.v limit 3") == "with_clause"
    );
    CHECK(
        read("select id from q left join t on n = 1 order by e <-> q.v limit 3") == "with_clause"
    );
    CHECK(read("select id from t, q as b (w) order by e <-> b.w limit 3") == "with_clause");
    CHECK(read("select id from t, q order by e <-> q.w limit 3") == "query_vector");
    CHECK(read("select id from t, q order by e <-> v limit 3") == "query_vector");
    CHECK(read("select id from t, s.q order by e <-> q.v limit 3") == "with_clause");
    CHECK(
        read("select id from t order by e <-> (select v from q where v is not null) limit 3") ==
        "with_clause"
    );
    CHECK(read("select v from q order by v <-> '[2]' limit 3") == "with_clause");
    const char* const tenants = "with q as (select '[1]'::vector as v, 3 as n) ";
    for (const char* const join : {"t join q using (n)", "t natural join q", "q natural join t"}) {
        CAPTURE(join);
        CHECK(
            read(
                std::string("select id from ") + join + " order by t.e <-> q.v limit 3", tenants
            ) == "with_clause"
        );
    }
}

TEST_CASE("What is no row of constants, or is not put in place of its name, stays", "[parser]") {
    const char* const search = "select id from t, q order by e <-> q.v limit 3";
    for (const char* const with :
         {"with q as materialized (select '[1]'::vector as v) ",
          "with recursive q as (select '[1]'::vector as v) ",
          "with q as (select e as v from t where id = 7) ",
          "with q as (select '[1]'::vector as v where false) ",
          "with q as (select '[1]'::vector as v limit 0) ",
          "with q as (values ('[1]'::vector)) ",
          "with q as (select '[1]' as v) ",
          "with q as (select f('[1]')::vector as v) ",
          "with q as (select '[1]'::vector as v, generate_series(1, 2)) ",
          "with q as (select '[1]'::vector as v), w as (select id from t) ",
          "with q as (select '[1]'::vector as v), w as (delete from t returning id) "}) {
        CAPTURE(with);
        CHECK(read(search, with) == "with_clause");
    }
    CHECK(
        read(search, "with q as (select '[1]'::vector as v union all select '[2]') ") ==
        "set_operation"
    );
    CHECK(
        read(
            "select id from t, q a, q b order by e <-> a.v limit 3",
            "with q as not materialized (select '[1]'::vector as v) "
        ) == "with_clause"
    );
    std::string many = "with q as (select '[1]'::vector as v";
    for (int i = 0; i < 8; ++i) {
        many += ", '[1]'::vector as v" + std::to_string(i);
    }
    CHECK(read(search, many + ") ") == "with_clause");
    CHECK(
        read(search, "with q as (select array[1]::vector as v) ") ==
        "t.e <-> ['0]::vector limit 3 left join t inside: id"
    );
    CHECK(read(search, "with q as (select (select e from u where id = 1) as v) ") == "with_clause");
    CHECK(
        read("select id from t, q a, q b order by e <-> a.v limit 3") == "with_clause"
    );  // sorted by PostgreSQL: it is kept for both
    CHECK(
        read("select id from t, q where n in (select id from q) order by e <-> q.v limit 3") ==
        "with_clause"
    );
}
