#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

struct Case {
    std::string_view sql;
    std::string_view expected;
};

std::string with_vector(std::string_view vector) {
    return describe_sql("select id from t order by e <=> " + std::string(vector) + " limit 5");
}

std::string with_output(std::string_view output) {
    return describe_sql("select " + std::string(output) + " from t order by e <=> $1 limit 5");
}

std::string with_tail(std::string_view tail) {
    return describe_sql("select id from t order by e <=> $1 " + std::string(tail));
}

}  // namespace

TEST_CASE("Every field of a search is filled in", "[parser]") {
    const Recognition recognition = recognise(
        "SELECT i.*, ID, 1-(I.E <=> $32768) FROM Shop.Items i ORDER BY E OPERATOR(Ext.<=>) "
        "$2::ext.vector(3) LIMIT $3 OFFSET 7"
    );
    CHECK(describe(recognition) == "projection");  // the output's operator is another one
    NearestNeighbourQuery expected;
    expected.schema = "shop";
    expected.table = "items";
    expected.reference = "i";
    expected.column = "e";
    expected.operator_name = "<=>";
    expected.operator_schema = "ext";
    expected.vector = {{Argument::Source::parameter, 1}, VectorExpression::Form::vector, 3, "ext"};
    expected.outputs = {
        {OutputColumn::Kind::star, "", "", {}},
        {OutputColumn::Kind::column, "id", "id", {}},
        {OutputColumn::Kind::similarity, "", "?column?", {{Argument::Source::literal, 0}}}};
    expected.limit = {Argument{Argument::Source::parameter, 2}};
    expected.offset = {std::int64_t{7}};
    constexpr std::string_view sql =
        "SELECT i.*, ID, 1-(I.E OPERATOR(ext.<=>) $32768) FROM Shop.Items i ORDER BY E "
        "OPERATOR(Ext.<=>) $2::ext.vector(3) LIMIT $3 OFFSET 7";
    expected.where_position = sql.find("ORDER");
    const Recognition full = recognise(sql);
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(full));
    CHECK(describe(full) == describe(Recognition(expected)));
    CHECK(std::get<NearestNeighbourQuery>(full) == expected);
}

TEST_CASE("A query vector may come in each of its forms", "[parser]") {
    const auto expect = [](std::string_view vector, const std::string& expected) {
        CAPTURE(vector);
        CHECK(with_vector(vector) == "t.e <=> " + expected + " limit 5: id");
    };
    expect("$1", "$1");
    expect("'[1]'", "'0");
    expect("($1)", "$1");
    expect("$1::vector", "$1::vector");
    expect("$1::VECTOR(3)", "$1::vector(3)");
    expect("cast($1 as vector)", "$1::vector");
    expect("cast('[1]' as vector(8))", "'0::vector(8)");
    expect("'[1]'::public.vector", "'0::public.vector");
    expect("$1::extensions.vector(3)", "$1::extensions.vector(3)");
    expect("$1::text::vector", "$1::vector");
    expect("'[1]'::text::vector", "'0::vector");
    expect("array[1,2]::vector", "['0]::vector");
    expect("cast(array[1.0,2] as vector(2))", "['0]::vector(2)");
    expect("array[1,2]::real[]::vector", "['0]::vector");
    expect("$1::real[]::vector", "[$1]::vector");
    expect("$1::float4[]::vector", "[$1]::vector");
    expect("$1::float8[]::vector(3)", "[$1]::vector(3)");
    expect("$1::double precision[]::vector", "[$1]::vector");
    expect("$1::pg_catalog.float8[]::vector", "[$1]::vector");
}

TEST_CASE("A query vector in any other form is refused", "[parser]") {
    for (const auto* vector :
         {"array[1,2]",
          "array[$1]",
          "array[$1]::vector",
          "array[$1,$2]::vector",
          "array['1']::vector",
          "array[array[1]]::vector",
          "$1::halfvec",
          "$1::halfvec(3)",
          "$1::vector[]",
          "$1::vector(0)",
          "$1::vector(3,3)",
          "$1::vector(16001)",
          "$1::\"Vector\"",
          "$1::pg_catalog.vector",
          "$1::text",
          "$1::real[]",
          "$1::int[]::vector",
          "$1::real[][]::vector",
          "$1::real::vector",
          "$1::vector::vector",
          "$1::varchar::vector",
          "$1::text[]::vector",
          "vector '[1]'",
          "E'[1]'",
          "$$[1]$$",
          "('[1]' || '')",
          "(select e from t where id = 7)",
          "f($1)",
          "e",
          "t.f",
          "null",
          "1",
          "$1 + $2",
          "-$1",
          "($1)[1]",
          "(array[1,2])[1:2]::vector",
          "row(1)"}) {
        CAPTURE(vector);
        CHECK(with_vector(vector) == "query_vector");
    }
}

TEST_CASE("A column may be qualified as Postgres allows", "[parser]") {
    const Case cases[] = {
        {"select id from t order by t.e <-> $1 limit 1", "t.e <-> $1 limit 1: id"},
        {"select id from s.t order by t.e <-> $1 limit 1", "s.t.e <-> $1 limit 1: id"},
        {"select id from s.t order by s.t.e <-> $1 limit 1", "s.t.e <-> $1 limit 1: id"},
        {"select x.id from s.t x order by x.e <-> $1 limit 1", "s.t x.e <-> $1 limit 1: id"},
        {"select id from s.t x order by t.e <-> $1 limit 1", "no_distance_order"},
        {"select id from s.t x order by s.t.e <-> $1 limit 1", "no_distance_order"},
        {"select id from t order by s.t.e <-> $1 limit 1", "no_distance_order"},
        {"select id from t order by u.e <-> $1 limit 1", "no_distance_order"},
        {"select id from t order by d.s.t.e <-> $1 limit 1", "no_distance_order"},
        {"select u.id from t order by e <-> $1 limit 1", "projection"},
        {"select u.* from t order by e <-> $1 limit 1", "projection"},
        {"select s.t.* from s.t order by e <-> $1 limit 1", "s.t.e <-> $1 limit 1: *"},
        {"select \"Id\" from \"T t\" order by \"T t\".\"E\" <-> $1 limit 1",
         "T t.E <-> $1 limit 1: Id"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}

TEST_CASE("Operands may stand either way round, operators be qualified", "[parser]") {
    const Case cases[] = {
        {"select id from t order by $1 <-> e limit 1", "t.e <-> $1 limit 1: id"},
        {"select id, '[1]' <=> e as d from t order by d limit 1",
         "t.e <=> '0 limit 1 by d: id, dist d '0"},
        {"select id from t order by e operator(public.<=>) '[1]'::public.vector limit 5",
         "t.e public.<=> '0::public.vector limit 5: id"},
        {"select id from t order by e operator(<#>) $1 limit 5", "t.e <#> $1 limit 5: id"},
        {"select id from t order by e operator(a.b.<#>) $1 limit 5", "no_distance_order"},
        {"select id from t order by e <+> $1 limit 5", "no_distance_order"},
        {"select id from t order by e <~> $1 limit 5", "no_distance_order"},
        {"select id from t order by e <%> $1 limit 5", "no_distance_order"},
        {"select id from t order by e < $1 limit 5", "no_distance_order"},
        {"select id from t order by e <=> any($1) limit 5", "no_distance_order"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}

TEST_CASE("Outputs have the kind and the label that Postgres gives them", "[parser]") {
    const auto expect = [](std::string_view output, const std::string& expected) {
        CAPTURE(output);
        CHECK(with_output(output) == "t.e <=> $1 limit 5: " + expected);
    };
    expect("*", "*");
    expect("t.*, id", "*, id");
    expect("id x, t.y as \"Z\"", "id as x, y as Z");
    expect("e <=> $1", "dist ?column? $1");
    expect("(((e <=> $2::vector)))", "dist ?column? $2::vector");
    expect("1 - (e <=> $1) as s", "sim s $1");
    expect("(1 - ($1 <=> e))", "sim ?column? $1");
    expect(
        "e <=> $1 as a, e <=> $2 as b, 1-(e <=> '[1]')", "dist a $1, dist b $2, sim ?column? '0"
    );
}

TEST_CASE("Outputs of any other kind are refused", "[parser]") {
    for (const auto* output :
         {"",
          "1",
          "'x'",
          "$1",
          "null",
          "id + 1",
          "id::text",
          "lower(id)",
          "e <-> $1",
          "e operator(public.<=>) $1",
          "f <=> $1",
          "2 - (e <=> $1)",
          "1 + (e <=> $1)",
          "(e <=> $1) - 1",
          "1 - (f <=> $1)",
          "1 - (1 - (e <=> $1))",
          "(e <#> $1) * -1",
          "cosine_distance(e, $1)",
          "(e <=> $1)::real",
          "case when true then 1 end",
          "(t).id",
          "(select 1)",
          "id[1]",
          "t",
          "e <=> $1 < 0.5"}) {
        CAPTURE(output);
        // "t" is the whole row to Postgres; the text cannot tell, the catalogue can.
        CHECK(
            with_output(output) ==
            (std::string_view(output) == "t" ? "t.e <=> $1 limit 5: t" : "projection")
        );
    }
    CHECK(with_output("e <=> f") == "query_vector");
}

TEST_CASE("ORDER BY finds an output by label, then by position", "[parser]") {
    const Case cases[] = {
        {"select id, e <=> $1 as d from t order by d limit 5",
         "t.e <=> $1 limit 5 by d: id, dist d $1"},
        {"select id, e <=> $1 as d from t order by 2 limit 5", "t.e <=> $1 limit 5: id, dist d $1"},
        {"select id, e <=> $1 from t order by \"?column?\" limit 5",
         "t.e <=> $1 limit 5 by ?column?: id, dist ?column? $1"},
        {"select e <=> $1 as e from t order by e limit 5", "t.e <=> $1 limit 5 by e: dist e $1"},
        {"select e <=> $1 as e from t order by e <=> $2 limit 5", "t.e <=> $2 limit 5: dist e $1"},
        {"select *, e <=> $1 as d from t order by d limit 5",
         "t.e <=> $1 limit 5 by d: *, dist d $1"},
        {"select e <=> $1 as d, * from t order by 1 limit 5", "t.e <=> $1 limit 5: dist d $1, *"},
        {"select *, e <=> $1 as d from t order by 2 limit 5", "no_distance_order"},
        {"select id, e <=> $1 as d from t order by 1 limit 5", "no_distance_order"},
        {"select id, e <=> $1 as d from t order by 3 limit 5", "no_distance_order"},
        {"select id, e <=> $1 as d from t order by 0 limit 5", "no_distance_order"},
        {"select id, e <=> $1 as d from t order by id limit 5", "no_distance_order"},
        {"select id as d, e <=> $1 as d from t order by d limit 5", "no_distance_order"},
        {"select id, e <=> $1 as d from t order by t.d limit 5", "no_distance_order"},
        {"select id, e <=> $1 as d from t order by \"D\" limit 5", "no_distance_order"},
        {"select id, e <=> f as d from t order by d limit 5", "query_vector"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}

TEST_CASE("LIMIT and OFFSET may be constants or arguments", "[parser]") {
    const auto expect = [](std::string_view tail, const std::string& expected) {
        CAPTURE(tail);
        CHECK(with_tail(tail) == "t.e <=> $1 " + expected + ": id");
    };
    expect("limit 0", "limit 0");
    expect("limit 5 offset 3", "limit 5 offset 3");
    expect("offset 3 limit 5", "limit 5 offset 3");
    expect("limit $2 offset $3", "limit $2 offset $3");
    expect("limit '5' offset '2'", "limit '0 offset '1");
    expect("limit $2::int", "limit $2");
    expect("limit $2::integer offset $3::bigint", "limit $2 offset $3");
    expect("limit cast($2 as int8)", "limit $2");
    expect("limit (5)", "limit 5");
    expect("limit 5 offset null", "limit 5");
    expect("fetch first 5 rows only", "limit 5");
    expect("fetch next row only", "limit 1");
    expect("offset 2 rows fetch first $2 rows only", "limit $2 offset 2");
    expect("limit 3000000000", "limit 3000000000");
    expect("asc limit 5", "limit 5");
    expect("asc nulls last limit 5", "limit 5");
    expect("nulls last limit 5", "limit 5");
}
