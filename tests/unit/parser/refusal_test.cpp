#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>
#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

struct Case {
    std::string_view sql;
    std::string_view expected;
};

constexpr Case cases[] = {
    {"select id from t order by e <-> $1 limit", "parse_error"},
    {"selec id from t order by e <-> $1 limit 5", "parse_error"},
    {"select id from t order by e <-> '[1] limit 5", "parse_error"},
    {"select id from t order by e <-> $1 limit 5 limit 6", "parse_error"},
    {"select 1; select id from t order by e <-> $1 limit 5", "multiple_statements"},
    {"select id from t order by e <-> $1 limit 5; commit", "multiple_statements"},
    {"", "not_select"},
    {" ; -- nothing", "not_select"},
    {"insert into u select id from t order by e <-> $1 limit 5", "not_select"},
    {"explain select id from t order by e <-> $1 limit 5", "not_select"},
    {"explain analyze select id from t order by e <-> $1 limit 5", "not_select"},
    {"declare c cursor for select id from t order by e <-> $1 limit 5", "not_select"},
    {"prepare p as select id from t order by e <-> $1 limit 5", "not_select"},
    {"copy (select id from t order by e <-> '[1]' limit 5) to stdout", "not_select"},
    {"create table u as select id from t order by e <-> $1 limit 5", "not_select"},
    {"create view v as select id from t order by e <-> $1 limit 5", "not_select"},
    {"update t set d = e <-> $1", "not_select"},
    {"delete from t where e <-> $1 < 1", "not_select"},
    {"table t order by e <-> $1 limit 5", "not_select"},
    {"values (1) order by 1 limit 5", "not_select"},
    {"select id from t", "no_distance_order"},
    {"select id from t where e <-> $1 < 1", "no_distance_order"},
    {"select e <-> $1 from t limit 5", "no_distance_order"},
    {"select id from t order by id limit 5", "no_distance_order"},
    {"select id from t order by (e <=> $1) + 0 limit 5", "no_distance_order"},
    {"select id from t order by cosine_distance(e, $1) limit 5", "no_distance_order"},
    {"select id from t order by e::halfvec <=> $1 limit 5", "no_distance_order"},
    {"select id from t order by e::text::halfvec(8) <=> $1 limit 5", "no_distance_order"},
    {"select id from t order by coalesce(e::halfvec(8), f::halfvec(8)) <=> $1 limit 5",
     "no_distance_order"},
    {"select id from t order by e::halfvec(8) <=> (select e from t where id = 1) limit 5",
     "query_vector"},
    {"select id from t order by binary_quantize(e)::bit(8) <~> $1 limit 5", "derived_vector"},
    {"select id from t order by $1 <=> subvector(t.e, 1, 3) limit 5", "derived_vector"},
    {"select id from t order by public.subvector(e, 1, 3)::vector(3) <=> $1 limit 5",
     "derived_vector"},
    {"select id from t order by binary_quantize($1)::bit(8) <~> $2 limit 5", "no_distance_order"},
    {"select id from t order by subvector(e, 1, 3) = $1 limit 5", "no_distance_order"},
    {"select id from t order by $1 limit 5", "no_distance_order"},
    {"select id from t order by e <=> $1 using < limit 5", "no_distance_order"},
    {"select id from t order by (e <=> $1) using < limit 5", "no_distance_order"},
    {"select id from t order by 1 - (e <=> $1) limit 5", "no_distance_order"},
    {"select id, 1 - (e <=> $1) as s from t order by s limit 5", "no_distance_order"},
    {"select id from t order by $1 <=> $2 limit 5", "no_distance_order"},
    {"select id from t order by (e <=> $1) collate \"C\" limit 5", "no_distance_order"},
    {"select id from t order by e <=> $1 desc limit 5", "descending"},
    {"select id from t order by e <=> $1 desc nulls last limit 5", "descending"},
    {"select id from t order by e <=> $1 asc nulls first limit 5", "descending"},
    {"select id, e <=> $1 as d from t order by d desc limit 5", "descending"},
    {"select id from t order by id, e <=> $1 limit 5", "order_keys"},
    {"select id from t order by e <=> $1, id using < limit 5", "order_keys"},
    {"select id from t order by e <=> $1, f(id) limit 5", "function"},
    {"select id from t order by e <=> $1 desc, id limit 5", "descending"},
    {"select id from t order by 1 + (e <=> $1) desc limit 5", "descending"},
    {"select id from t order by 1 - (e <=> $1), id limit 5", "no_distance_order"},
    {"select id from t order by 2000 - (e <=> $1) desc limit 5", "no_distance_order"},
    {"select id from t order by (e <=> $1) * 1 limit 5", "no_distance_order"},
    {"select id from t order by e <=> (select e from t where id in (select 1)) limit 5",
     "query_vector"},
    {"select id from t order by e <=> (select e from t order by id limit 1) limit 5",
     "query_vector"},
    {"select id from t order by e <=> (select e from t where f(id)) limit 5", "query_vector"},
    {"select id from t order by e <=> (select e from t, u where id = 7) limit 5", "query_vector"},
    {"select id from t order by e <=> (select e + e from t where id = 7) limit 5", "query_vector"},
    {"select id from t order by e <=> (select e from t where id = 7 limit 2) limit 5",
     "query_vector"},
    {"select id from t order by e <=> any (select e from t where id = 7) limit 5",
     "no_distance_order"},
    {"select id from t order by id, f limit 5", "no_distance_order"},
    {"select id from t order by e <=> $1", "no_limit"},
    {"select id from t order by e <=> $1 limit all", "no_limit"},
    {"select id from t order by e <=> $1 limit null", "no_limit"},
    {"select id from t order by e <=> $1 offset 5", "no_limit"},
    {"select id from t where f(id) order by e <=> $1 limit 5", "function"},
    {"select id from t where random() < 0.5 order by e <=> $1 limit 5", "function"},
    {"select id from t where other.lower(a) = 'x' order by e <=> $1 limit 5", "function"},
    {"select id from t where a::mood = 'x' order by e <=> $1 limit 5", "function"},
    {"select id from t where a = nextval('s') order by e <=> $1 limit 5", "function"},
    {"select id from t where id in (select 1) order by e <=> $1 limit 5", "subquery"},
    {"select id from t where exists (select 1) order by e <=> $1 limit 5", "subquery"},
    {"select (select 1) from t order by e <=> $1 limit 5", "subquery"},
    {"select id from t where (t.a).b = 1 order by e <=> $1 limit 5", "expression"},
    {"select id from t where u.a = 1 order by e <=> $1 limit 5", "expression"},
    {"select id from t where a = lower(b => 'x') order by e <=> $1 limit 5", "expression"},
    {"select id from t where a is document order by e <=> $1 limit 5", "expression"},
    {"select id from t where count(*) > 1 order by e <=> $1 limit 5", "grouping"},
    {"select t.id from t right join u on u.id = t.id order by t.e <=> $1 limit 5", "join"},
    {"select t.id from t full join u on u.id = t.id order by t.e <=> $1 limit 5", "join"},
    {"select t.id from u left join t on u.id = t.id order by t.e <=> $1 limit 5", "join"},
    {"select t.id from t join (select 1) u on true order by t.e <=> $1 limit 5", "join"},
    {"select t.id from t join f() u on true order by t.e <=> $1 limit 5", "join"},
    {"select t.id from t join only u on true order by t.e <=> $1 limit 5", "join"},
    {"select t.id from (t join u on true) j order by t.e <=> $1 limit 5", "join"},
    {"select t.id from t join u on f(u.id) order by t.e <=> $1 limit 5", "function"},
    {"select t.id from t join u on u.id = v.id order by t.e <=> $1 limit 5", "expression"},
    {"select t.id from t join u on true order by t.e <=> u.e limit 5", "query_vector"},
    {"select t.id from t join u on true order by e <=> $1 limit 5", "no_distance_order"},
    {"select id from only t order by e <=> $1 limit 5", "join"},
    {"select id from t tablesample system (10) order by e <=> $1 limit 5", "join"},
    {"select id from (select * from t) t order by e <=> $1 limit 5", "join"},
    {"select id from f() t order by e <=> $1 limit 5", "join"},
    {"select x from t a(x) order by e <=> $1 limit 5", "join"},
    {"select id from db.s.t order by e <=> $1 limit 5", "join"},
    {"select 1 order by e <=> $1 limit 5", "join"},
    {"select distinct id, e <=> $1 d from t order by d limit 5", "grouping"},
    {"select distinct on (id) id from t order by e <=> $1 limit 5", "grouping"},
    {"select id from t group by id, e order by e <=> $1 limit 5", "grouping"},
    {"select id from t having true order by e <=> $1 limit 5", "grouping"},
    {"select id from t window w as () order by e <=> $1 limit 5", "grouping"},
    {"select count(*) from t order by e <=> $1 limit 5", "grouping"},
    {"select max(id) from t order by e <=> $1 limit 5", "grouping"},
    {"select row_number() over () from t order by e <=> $1 limit 5", "grouping"},
    {"select id from t union select id from u order by id limit 5", "set_operation"},
    {"(select id from t order by e <=> $1 limit 5) union all select 1", "set_operation"},
    {"(select id from t order by e <=> $1 limit 5)", "set_operation"},
    {"(select id from t) order by e <=> $1 limit 5", "set_operation"},
    {"with q as (select 1) select id from t order by e <=> $1 limit 5", "with_clause"},
    {"select id from t order by e <=> $1 limit 5 for update", "locking"},
    {"select id from t order by e <=> $1 limit 5 for share skip locked", "locking"},
    {"select id into u from t order by e <=> $1 limit 5", "locking"},
    {"select f(id) from t order by e <=> $1 limit 5", "function"},
    {"select from t order by e <=> $1 limit 5", "projection"},
    {"select id from t order by e <=> array[1,2] limit 5", "query_vector"},
    {"select id from t order by e <=> $1 limit -1", "limit_form"},
    {"select id from t order by e <=> $1 limit 2.5", "limit_form"},
    {"select id from t order by e <=> $1 limit 2 + 3", "limit_form"},
    {"select id from t order by e <=> $1 limit (select 5)", "limit_form"},
    {"select id from t order by e <=> $1 limit $2::smallint", "limit_form"},
    {"select id from t order by e <=> $1 limit $2::int[]", "limit_form"},
    {"select id from t order by e <=> $1 limit E'5'", "limit_form"},
    {"select id from t order by e <=> $1 limit 99999999999999999999", "limit_form"},
    {"select id from t order by e <=> $1 limit 5 offset -1", "limit_form"},
    {"select id from t order by e <=> $1 limit 5 offset $2 + 1", "limit_form"},
    {"select id from t order by e <=> $1 fetch first 5 rows with ties", "limit_form"},
};

}  // namespace

TEST_CASE("Each reason to refuse a statement has its code", "[parser]") {
    for (const Case& each : cases) {
        CAPTURE(each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}

TEST_CASE("Every code but too_long is among these statements", "[parser]") {
    std::set<std::string_view> seen{"too_long"};
    for (const Case& each : cases) {
        seen.insert(each.expected);
    }
    for (int code = 0; code <= static_cast<int>(Refusal::limit_form); ++code) {
        CAPTURE(code);
        CHECK(seen.contains(to_string(static_cast<Refusal>(code))));
    }
}
