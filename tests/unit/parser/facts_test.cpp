#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

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
    CHECK(
        describe(recognition) ==
        "shop.items i.e ext.<=> $2::ext.vector(3) limit $3 offset 7: *, id, expr ?column?"
    );  // the output's operator is another one
    NearestNeighbourQuery expected;
    expected.schema = "shop";
    expected.table = "items";
    expected.reference = "i";
    expected.column = "e";
    expected.operator_name = "<=>";
    expected.operator_schema = "ext";
    expected.vector = {
        {Argument::Source::parameter, 1}, VectorExpression::Form::vector, 3, "ext", "vector"};
    expected.outputs = {
        {OutputColumn::Kind::star, "", "", {}},
        {OutputColumn::Kind::column, "id", "id", {}},
        {OutputColumn::Kind::similarity, "", "?column?", {{Argument::Source::literal, 0}}}};
    expected.limit = {Argument{Argument::Source::parameter, 2}};
    expected.offset = {std::int64_t{7}};
    constexpr std::string_view sql =
        "SELECT i.*, ID, 1-(I.E OPERATOR(ext.<=>) $32768) FROM Shop.Items i ORDER BY E "
        "OPERATOR(Ext.<=>) $2::ext.vector(3) LIMIT $3 OFFSET 7";
    expected.clauses = {.condition = {}, .order = sql.find("ORDER"), .begin = 0, .end = sql.size()};
    expected.columns = {"e"};
    expected.nulls_excluded = true;
    expected.parameters = 3;
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
    expect("$1::halfvec", "$1::halfvec");
    expect("'[1]'::public.halfvec(3)", "'0::public.halfvec(3)");
    expect("array[1,2]::halfvec", "['0]::halfvec");
    expect("$1::sparsevec(1000000000)", "$1::sparsevec(1000000000)");
    expect("'01'::bit(2)", "'0::pg_catalog.bit(2)");
    expect("$1::bit", "$1::pg_catalog.bit(1)");
    expect("b'0101'", "b0101::bit");
    expect("B'01'::bit(2)", "b01::pg_catalog.bit(2)");
}

TEST_CASE("A query vector in any other form is refused", "[parser]") {
    for (const auto* vector :
         {"array[1,2]",
          "array[$1]",
          "array[$1]::vector",
          "array[$1,$2]::vector",
          "array['1']::vector",
          "array[array[1]]::vector",
          "$1::halfvec(0)",
          "$1::halfvec(16001)",
          "$1::pg_catalog.halfvec",
          "$1::vector::halfvec",
          "$1::sparsevec(1000000001)",
          "$1::varbit(3)",
          "$1::\"bit\"",
          "$1::public.bit(3)",
          "X'1F'",
          "B'01'::vector",
          "B'01'::text::bit(2)",
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
          "(select e from t)",
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
        {"select u.id from t order by e <-> $1 limit 1", "expression"},
        {"select u.* from t order by e <-> $1 limit 1", "expression"},
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
        {"select id from t order by e <+> $1 limit 5", "t.e <+> $1 limit 5: id"},
        {"select id from t order by e <~> $1 limit 5", "t.e <~> $1 limit 5: id"},
        {"select id from t order by e <%> $1 limit 5", "t.e <%> $1 limit 5: id"},
        {"select id from t order by e <@> $1 limit 5", "no_distance_order"},
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

TEST_CASE("Outputs of any other kind are Postgres' to compute", "[parser]") {
    for (const auto* output :
         {"1",
          "'x'",
          "$1",
          "null",
          "id::text",
          "lower(id)",
          "e <-> $1",
          "e operator(public.<=>) $1",
          "2 - (e <=> $1)",
          "(2 - (e <=> $1)) / 2",
          "(e <=> $1) - 1",
          "1 - (1 - (e <=> $1))",
          "(e <#> $1) * -1",
          "round((1 - (e <=> $1))::numeric, 4)",
          "cosine_distance(e, $1)",
          "case when a then 1 end",
          "meta->>'k'",
          "coalesce(a, 'x')",
          "now() - made",
          "a[1]",
          "e <=> $1 < 0.5"}) {
        CAPTURE(output);
        const std::string described = with_output(output);
        CHECK(described.find(": expr ?column?") != std::string::npos);
        // Only dates and numbers of columns can overflow.
        CHECK(
            (described.find(" !") != std::string::npos) ==
            (std::string_view(output) == "now() - made")
        );
    }
    for (const auto* output :
         {"id + 1",
          "1 / id",
          "id::int",
          "round(a)",
          "-id",
          "a like b",
          "1 - (f + $1)",
          // Vectors of another column than the one searched may have any dimension.
          "f <=> $1",
          "e <=> f",
          "cosine_distance(f, $1)",
          "1 - (f <-> $1)",
          "l2_distance(e, f)"}) {
        CAPTURE(output);
        CHECK(with_output(output) == "t.e <=> $1 limit 5 !: expr ?column?");
    }
    // The whole row to Postgres; the text cannot tell, the catalogue can.
    CHECK(with_output("t") == "t.e <=> $1 limit 5: t");
    CHECK(with_output("") == "projection");
    CHECK(with_output("(t).id") == "expression");
    CHECK(with_output("(select 1)") == "subquery");
}

TEST_CASE("A condition without effects is accepted, whatever it says", "[parser]") {
    for (const auto* condition :
         {"a = 1",
          "t.a <> $2",
          "a in (1, 2)",
          "a not in ('x', $3)",
          "a = any($2)",
          "a is null",
          "a between 1 and 2",
          "not a",
          "a is distinct from 'x'",
          "a like 'x%'",
          "a ilike $2",
          "meta->>'k' = 'v'",
          "meta @> '{}'",
          "meta ? 'k'",
          "meta ?| array['a','b']",
          "(e <=> $1) < 0.5",
          "1 - (e <=> $1) > $2",
          "lower(a) = $2",
          "a is true",
          "made > now()",
          "a = 'x'::text",
          "a = $2::uuid",
          "made < current_date",
          "a = current_user",
          "made >= '2024-01-01'::timestamptz",
          "(a, b) = (1, 2)",
          "a collate \"C\" = 'x'",
          "round(cast(float8 (e <=> $1) as numeric), 8) <= round(2 - 2 * 0.6, 8)",
          "jsonb_exists(meta, 'k')",
          "tags && array['x']",
          "e is not null",
          "a ~ '^x'"}) {
        CAPTURE(condition);
        CHECK(
            describe_sql(
                "select id from t where " + std::string(condition) + " order by e <=> $1 limit 5"
            ) == "t.e <=> $1 limit 5 where: id"
        );
    }
    for (const auto* condition :
         {"(meta->>'n')::int > 3",
          "a / b = 1",
          "a + 1 > 2",
          "to_tsvector(a) @@ to_tsquery('x')",
          "a like b",
          "a::date = current_date",
          "jsonb_path_match(meta, $2)"}) {
        CAPTURE(condition);
        CHECK(
            describe_sql(
                "select id from t where " + std::string(condition) + " order by e <=> $1 limit 5"
            ) == "t.e <=> $1 limit 5 where !: id"
        );
    }
}

TEST_CASE("Other tables may be joined to the one that is searched", "[parser]") {
    const Case cases[] = {
        {"select t.id, u.x from t join u on u.id = t.u order by t.e <=> $1 limit 5",
         "t.e <=> $1 limit 5 join u: id, expr x"},
        {"select x.id from s.u y, s.t x where x.u = y.id order by x.e <=> $1 limit 5",
         "s.t x.e <=> $1 limit 5 join u where: id"},
        {"select t.id, u.*, t.e <=> $1 as d from t left join u using (id) order by d limit 5",
         "t.e <=> $1 limit 5 by d left join u: id, *, dist d $1"},
        {"select t.id from t left join (u join v on u.a = v.a) on t.a = u.a order by t.e <=> $1 "
         "limit 5",
         "t.e <=> $1 limit 5 join u join v: id"},
        {"select name from t cross join u natural join w order by t.e <=> $1 limit 5",
         "t.e <=> $1 limit 5 join u join w: expr name"},
        {"select a.id from t a join t b on a.id = b.parent where b.id = 7 order by a.e <=> $1 "
         "limit 5",
         "t a.e <=> $1 limit 5 join t where: id"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}

TEST_CASE("A search may be inside of another statement", "[parser]") {
    const Case cases[] = {
        {"select s.id, 1 - s.d from (select id, e <=> $1 as d from t order by d limit 5) s",
         "t.e <=> $1 limit 5 by d left join t inside: id, dist d $1"},
        {"with v as (select id from t where a = 1 order by e <=> $1 limit 5) select * from v, u",
         "t.e <=> $1 limit 5 left join u left join t where inside: id"},
        {"select count(*) from (select id from t order by e <=> $1 limit 5) s where id > $2",
         "t.e <=> $1 limit 5 left join t inside: id"},
        {"with s as (select id, rank() over (order by e <=> $1) as r from t order by e <=> $1 "
         "limit 20), "
         "k as (select id, rank() over (order by a desc) as r from t, plainto_tsquery('x') q where "
         "to_tsvector(a) @@ q order by a desc limit 20) select coalesce(s.id, k.id) from s full "
         "join k "
         "on s.id = k.id order by 1 limit 5",
         "t.e <=> $1 limit 20 left join t left join t inside: id, expr r"},
        {"select id, row_number() over (order by e <=> $1) as n from t order by e <=> $1 limit 5",
         "t.e <=> $1 limit 5: id, expr n"},
        {"with t as (select * from u) select * from (select id from t order by e <=> $1 limit 5) s",
         "with_clause"},
        {"with recursive v as (select id from t order by e <=> $1 limit 5) select * from v",
         "with_clause"},
        {"with v as (delete from u returning id) select * from (select id from t order by e <=> $1 "
         "limit 5) s",
         "expression"},
        {"select f(id) from (select id from t order by e <=> $1 limit 5) s", "function"},
        {"select * from (select id from t order by e <=> $1 limit 5) s for update",
         "no_distance_order"},
        {"select * from (select id from t order by e <=> $1) s limit 5", "no_limit"},
        {"select * from (select id from t order by e <=> $1 limit 5) a, (select id from t order by "
         "e <=> "
         "$1 limit 5) b",
         "no_distance_order"},
        {"select rank() over (order by e <=> $1 desc) from t order by e <=> $1 limit 5",
         "grouping"},
        {"select rank() over (partition by a order by e <=> $1) from t order by e <=> $1 limit 5",
         "grouping"},
        {"select rank() over (order by f <=> $1) from t order by e <=> $1 limit 5", "grouping"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}

TEST_CASE("Columns named with their table, and all parameters, are facts", "[parser]") {
    const Recognition recognition =
        recognise("select x.a, lower(x.b) from t x where x.c = $7 or d order by x.e <=> $1 limit 5"
        );
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(recognition));
    const auto& query = std::get<NearestNeighbourQuery>(recognition);
    CHECK(query.columns == std::vector<std::string>{"c", "a", "b"});
    CHECK(query.parameters == 7);
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
