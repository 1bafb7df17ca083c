#include "parser/function_body.hpp"
#include "parser/function_call.hpp"
#include "parser/normalise.hpp"
#include "parser/recognise.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace veer::parser {

namespace {

/// schema.name as reference: name => text (cast), ...; "none" where it is no call.
std::string called(std::string_view sql) {
    const NormalisedStatement statement = normalise(sql);
    const auto call = read_function_call(statement.text);
    if (!call) {
        return "none";
    }
    const auto text = [&](std::size_t begin, std::size_t end) {
        const std::size_t at = statement.original_position(begin);
        return std::string(sql.substr(at, statement.original_position(end) - at));
    };
    std::string found = (call->schema ? *call->schema + '.' : "") + call->name + " as " +
                        call->reference + " [" + text(call->begin, call->end) + ']';
    for (const FunctionCall::Argument& argument : call->arguments) {
        found += ", " + argument.name + (argument.name.empty() ? "" : "=") +
                 text(argument.begin, argument.end);
        found += argument.type.empty() ? "" : " (" + argument.type + ')';
    }
    return found;
}

/// The body with <0>, <1> in the parameters' places; the refusal's code where it is refused.
std::string body(std::string_view text, const std::vector<std::string>& parameters) {
    const auto read = read_function_body(text, "match", parameters);
    if (const auto* const refusal = std::get_if<Refusal>(&read)) {
        return std::string(to_string(*refusal));
    }
    std::vector<std::string> values;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        values.push_back('<' + std::to_string(i) + '>');
    }
    return std::get<FunctionBody>(read).with(values);
}

}  // namespace

TEST_CASE("A call of a function in FROM is read with its arguments' texts", "[parser]") {
    CHECK(called("SELECT * FROM match($1, 5)") == "match as match [match($1, 5)], $1, 5");
    CHECK(
        called("select id from S.Match ('[1,2]'::vector(2), k => -1) AS \"M m\" where id > 3") ==
        "s.match as M m [S.Match ('[1,2]'::vector(2), k => -1) AS \"M m\"], "
        "'[1,2]'::vector(2) (vector), k=-1"
    );
    CHECK(
        called("SELECT 1 FROM /* c */ f(ARRAY[1,2]::public.vector, b := true, c := NULL) x") ==
        "f as x [f(ARRAY[1,2]::public.vector, b := true, c := NULL) x], "
        "ARRAY[1,2]::public.vector (vector), b=true, c=NULL"
    );
    CHECK(called("SELECT f.id FROM f()") == "f as f [f()]");
    CHECK(called("SELECT f.* FROM f(0.5::real)") == "f as f [f(0.5::real)], 0.5::real (float4)");
}

TEST_CASE("What is not one plain call is none", "[parser]") {
    for (const std::string_view sql :
         {"SELECT f(1)",
          "SELECT * FROM f(1), g(2)",
          "SELECT * FROM t JOIN f(1) ON true",
          "SELECT * FROM LATERAL f(1)",
          "SELECT * FROM f(1) WITH ORDINALITY",
          "SELECT * FROM f(1) AS t(a, b)",
          "SELECT * FROM f(1) AS (a int)",
          "SELECT * FROM ROWS FROM (f(1), g(2))",
          "SELECT * FROM f(g(1))",
          "SELECT * FROM f(1 + 1)",
          "SELECT * FROM f(VARIADIC $1)",
          "SELECT * FROM f((SELECT 1))",
          "SELECT * FROM f(ARRAY[$1]::vector)",
          "SELECT * FROM f($1::real[])",
          "SELECT * FROM f(12345678901)",
          "SELECT * FROM f(E'x')",
          "SELECT * FROM a.b.f(1)",
          "WITH w AS (SELECT 1) SELECT * FROM f(1)",
          "SELECT f FROM f(1)",
          "SELECT m FROM f(1) m",
          "SELECT (m).id FROM f(1) m",
          "SELECT s.f.id FROM s.f(1)",
          "SELECT count(m.*) FROM f(1) m",
          "SELECT * FROM f(1) m WHERE m.* IS NOT NULL",
          "SELECT * FROM f(1); SELECT 2",
          "INSERT INTO t SELECT * FROM f(1)"}) {
        CAPTURE(sql);
        CHECK(called(sql) == "none");
    }
}

TEST_CASE("A body's parameters are found wherever expressions may stand", "[parser]") {
    const std::vector<std::string> parameters{"query", "k", "filter"};
    CHECK(
        body("SELECT id FROM docs ORDER BY e <=> query LIMIT k", parameters) ==
        "SELECT id FROM docs ORDER BY e <=> (<0>) LIMIT (<1>)"
    );
    CHECK(
        body(
            " -- a comment, query\n select d.id, 'query' as s, \"Query\" from docs d\n"
            "where meta @> match . filter and $2 > 0 order by d.e <=> \"query\" limit K ; -- k",
            parameters
        ) ==
        " -- a comment, query\n select d.id, 'query' as s, \"Query\" from docs d\n"
        "where meta @> (<2>) and (<1>) > 0 order by d.e <=> (<0>) limit (<1>) "
    );
    CHECK(
        body("SELECT id FROM docs WHERE f(k)", {"", "k"}) == "SELECT id FROM docs WHERE f((<1>))"
    );
    CHECK(body("SELECT $1 FROM docs", {""}) == "SELECT (<0>) FROM docs");
}

TEST_CASE("A body in which a name may mean more than one thing is refused", "[parser]") {
    const std::vector<std::string> parameters{"query", "k"};
    for (const std::string_view sql :
         {"SELECT id AS k FROM docs ORDER BY k",
          "SELECT id FROM k",
          "SELECT id FROM docs AS k",
          "SELECT id FROM docs AS match",
          "SELECT match.id FROM match",
          "SELECT k.id FROM docs",
          "SELECT match.other FROM docs",
          "SELECT match.k.field FROM docs",
          "SELECT $3 FROM docs",
          "WITH k AS (SELECT 1) SELECT id FROM docs"}) {
        CAPTURE(sql);
        CHECK(body(sql, parameters) == "expression");
    }
    CHECK(body("SELECT 1; SELECT 2", parameters) == "multiple_statements");
    CHECK(body("UPDATE docs SET id = k", parameters) == "not_select");
    CHECK(body("", parameters) == "multiple_statements");
    CHECK(body("SELEC", parameters) == "parse_error");
    CHECK(body(std::string_view("SELECT 1\0", 9), parameters) == "parse_error");
    CHECK(body(std::string(5000, '('), parameters) == "too_long");
}

TEST_CASE(
    "Of a statement that shows all rows of its sub-select their number is known", "[parser]"
) {
    const auto shown = [](std::string_view around) {
        const std::string search = "(SELECT id, e <-> $1 AS d FROM t ORDER BY e <-> $1 LIMIT 5) s";
        std::string sql(around);
        sql.replace(sql.find('@'), 1, search);
        const Recognition recognition = recognise(normalise(sql).text);
        const auto& query = std::get<NearestNeighbourQuery>(recognition);
        return query.wrapped && query.all_rows_shown;
    };
    CHECK(shown("SELECT * FROM @"));
    CHECK(shown("SELECT s.id, 1 - s.d AS x FROM @ ORDER BY x DESC"));
    CHECK_FALSE(shown("SELECT count(*) FROM @"));
    CHECK_FALSE(shown("SELECT id FROM @ WHERE d < 1"));
    CHECK_FALSE(shown("SELECT id FROM @ LIMIT 3"));
    CHECK_FALSE(shown("SELECT id FROM @ OFFSET 1"));
    CHECK_FALSE(shown("SELECT DISTINCT id FROM @"));
    CHECK_FALSE(shown("SELECT id FROM @ GROUP BY id"));
    CHECK_FALSE(shown("SELECT o.id FROM @ JOIN owners o ON o.id = s.id"));
}

}  // namespace veer::parser
