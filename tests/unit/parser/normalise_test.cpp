#include "parser/normalise.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::parser;

namespace {

Literal string(std::string text) {
    return {Literal::Kind::string, std::move(text)};
}

Literal array(std::string text) {
    return {Literal::Kind::array, std::move(text)};
}

/// Puts what was cut back in its place; the original again, if positions and cuts are right.
std::string restore(std::string_view sql, const NormalisedStatement& statement) {
    std::string restored;
    std::size_t at = 0;
    for (const NormalisedStatement::Cut& cut : statement.cuts) {
        restored.append(statement.text, at, cut.normalised_begin - at);
        restored.append(sql, cut.original_begin, cut.original_end - cut.original_begin);
        at = cut.normalised_end;
    }
    return restored.append(statement.text, at);
}

void check_unchanged(std::string_view sql) {
    CAPTURE(sql);
    const NormalisedStatement statement = normalise(sql);
    CHECK(statement.text == sql);
    CHECK(statement.literals.empty());
    CHECK(statement.cuts.empty());
}

void check(std::string_view sql, std::string_view text, const std::vector<Literal>& literals) {
    CAPTURE(sql);
    const NormalisedStatement statement = normalise(sql);
    CHECK(statement.text == text);
    CHECK(statement.literals == literals);
    CHECK(restore(sql, statement) == sql);
}

}  // namespace

TEST_CASE("normalise cuts a vector out of a search", "[parser]") {
    check(
        "SELECT id FROM t ORDER BY e <-> '[1,2,3]' LIMIT 5",
        "SELECT id FROM t ORDER BY e <-> $32768 LIMIT 5",
        {string("[1,2,3]")}
    );
    check(
        "select 1-(e<=>'[1]'::vector) from t order by e<=>CAST('[2]' AS vector) limit '5'",
        "select 1-(e<=>$32768::vector) from t order by e<=>CAST($32769 AS vector) limit $32770",
        {string("[1]"), string("[2]"), string("5")}
    );
}

TEST_CASE("normalise undoes doubled quotes and joins continued strings", "[parser]") {
    check("select 'it''s'", "select $32768", {string("it's")});
    check("select ''", "select $32768", {string("")});
    check("select ''''", "select $32768", {string("'")});
    check("select 'a' -- it's\n  'b''c'\n\n'd', 1", "select $32768, 1", {string("ab'cd")});
    check("select 'a\\' , 'b'", "select $32768 , $32769", {string("a\\"), string("b")});
    check("select 'größe'", "select $32768", {string("größe")});
}

TEST_CASE("normalise cuts the numbers of an array and leaves its brackets", "[parser]") {
    check(
        "select e <=> ARRAY[1.0, -2.5,3e-4 , .5,+1.]::vector",
        "select e <=> ARRAY[$32768]::vector",
        {array("1.0, -2.5,3e-4 , .5,+1.")}
    );
    check("select e <=> array [\n1\n]", "select e <=> array [$32768]", {array("\n1\n")});
    check(
        "select CAST(aRRay[1,2] AS VECTOR(2))",
        "select CAST(aRRay[$32768] AS VECTOR(2))",
        {array("1,2")}
    );
}

TEST_CASE("normalise leaves arrays that are not plain numbers", "[parser]") {
    for (const auto* sql :
         {"select array[1,$1]",
          "select array[]",
          "select array[1,]",
          "select array[,1]",
          "select array[1 2]",
          "select array[1e]",
          "select array[.]",
          "select array[1, x]",
          "select array[[1],[2]]",
          "select array[1 /* c */]",
          "select array[1",
          "select array",
          "select x::int array[3]",
          "select t.array[1]",
          "select \"array\"[1]",
          "select my_array[1]",
          "select array['1']",
          "select array(1)",
          "select array[- 1]"}) {
        check_unchanged(sql);
    }
}

TEST_CASE("normalise leaves typed constants, options and file names", "[parser]") {
    for (const auto* sql :
         {"select vector '[1,2,3]'",
          "select e <-> vector '[1]'",
          "select date '2020-01-01'",
          "select interval '1 day'",
          "select public.vector '[1]'",
          "select \"Vector\" '[1]'",
          "select double precision '1'",
          "select float8 'NaN'",
          "select x::vector '[1]'",
          "copy t to 'file'",
          "copy t from stdin with (format csv) delimiter 'x'",
          "select x at time zone 'utc'",
          "select t.and '1'",
          "select extract('year' from x)"}) {
        check_unchanged(sql);
    }
}

TEST_CASE("normalise leaves constants of every other kind", "[parser]") {
    for (const auto* sql :
         {"select E'a\\'b'",
          "select e'\\\\'",
          "select U&'\\0041'",
          "select B'01', X'ff', N'x'",
          "select $$it's$$",
          "select $tag$ $$ 'x' $tag$",
          "select \"it's\"",
          "select \"a\"\"'b'\"",
          "select 1 -- it's 'not' one",
          "select 1 /* '[1]' /* 'x' */ 'y' */"}) {
        check_unchanged(sql);
    }
}

TEST_CASE("normalise leaves text that is cut short in a constant", "[parser]") {
    for (const auto* sql :
         {"select 'abc",
          "select 'a''",
          "select \"abc 'x'",
          "select $q$ 'x'",
          "select /* 'x'",
          "select E'\\'",
          "select '"}) {
        check_unchanged(sql);
    }
    check("select 'a', 'b", "select $32768, 'b", {string("a")});
    check_unchanged("");
}

TEST_CASE("normalise never lets a placeholder grow together with its neighbours", "[parser]") {
    for (const auto* sql :
         {"select * from t limit'5'",
          "select 'a'as b",
          "select 'a'1",
          "select 'a'$1",
          "select 'a'ü"}) {
        check_unchanged(sql);
    }
    check("select e<->'[1]',f", "select e<->$32768,f", {string("[1]")});
}

TEST_CASE(
    "normalise cuts after operators, brackets and the keywords before expressions", "[parser]"
) {
    check(
        "where a like 'x' and b not in ('y','z')",
        "where a like $32768 and b not in ($32769,$32770)",
        {string("x"), string("y"), string("z")}
    );
    check(
        "select a similar to 'x' escape 'y'",
        "select a similar to $32768 escape $32769",
        {string("x"), string("y")}
    );
    check(
        "case when 'a' then 'b' else 'c' end",
        "case when $32768 then $32769 else $32770 end",
        {string("a"), string("b"), string("c")}
    );
    check(
        "a is distinct from 'b' offset '1'",
        "a is distinct from $32768 offset $32769",
        {string("b"), string("1")}
    );
    check("SELECT/*c*/'a'", "SELECT/*c*/$32768", {string("a")});
}

TEST_CASE("normalise leaves a statement alone that uses high parameters itself", "[parser]") {
    check_unchanged("select e <-> '[1]', $32768");
    check_unchanged("select e <-> '[1]', $0040000");
    check_unchanged("select e <-> '[1]', $99999999999999999999");
    check("select '[1]', $32767", "select $32768, $32767", {string("[1]")});
    check("select '[1]', $0000000007", "select $32768, $0000000007", {string("[1]")});
}

TEST_CASE("normalise maps positions back to the original", "[parser]") {
    const std::string sql = "select 'abcdefghij', '' from t where x = 'y' order by z";
    const NormalisedStatement statement = normalise(sql);
    REQUIRE(statement.text == "select $32768, $32769 from t where x = $32770 order by z");
    for (const auto* word : {"select", "from", "where", "order", "z"}) {
        CAPTURE(word);
        CHECK(statement.original_position(statement.text.find(word)) == sql.find(word));
    }
    for (std::size_t inside = 0; inside < 6; ++inside) {
        CHECK(statement.original_position(7 + inside) == 7);
    }
    CHECK(statement.original_position(13) == 19);
    CHECK(statement.original_position(statement.text.size()) == sql.size());
    CHECK(normalise("select 1").original_position(3) == 3);
}

TEST_CASE("normalise cuts at most 30,000 literals and leaves the rest", "[parser]") {
    std::string sql = "select 'x'";
    for (int i = 1; i < 30'010; ++i) {
        sql += ",'x'";
    }
    const NormalisedStatement statement = normalise(sql);
    CHECK(statement.literals.size() == 30'000);
    CHECK(statement.text.ends_with(",$62767,'x','x','x','x','x','x','x','x','x','x'"));
    CHECK(restore(sql, statement) == sql);
}

TEST_CASE("normalise gives equal texts for statements that differ in their vectors", "[parser]") {
    std::string long_vector = "[0.1";
    for (int i = 1; i < 1536; ++i) {
        long_vector += ",0.1";
    }
    const std::string before = "SELECT *, e <=> '";
    const std::string after = "' AS d FROM t ORDER BY d LIMIT 5";
    const NormalisedStatement statement = normalise(before + long_vector + "]" + after);
    CHECK(statement.text == normalise(before + "[1]" + after).text);
    CHECK(statement.literals == std::vector{string(long_vector + "]")});
}
