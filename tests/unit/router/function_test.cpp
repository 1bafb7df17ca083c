#include "router/function.hpp"

#include "parser/normalise.hpp"
#include "parser/recognise.hpp"
#include "router/known_functions.hpp"
#include "router/statement.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veer::router {

namespace {

std::string hex(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string written;
    for (const char c : text) {
        written += digits[static_cast<unsigned char>(c) >> 4U];
        written += digits[static_cast<unsigned char>(c) & 15U];
    }
    return written;
}

parser::FunctionCall call_of(std::string name, std::optional<std::string> schema = std::nullopt) {
    parser::FunctionCall call;
    call.schema = std::move(schema);
    call.name = call.reference = std::move(name);
    return call;
}

std::string parameter(
    std::string_view oid, std::string_view schema, std::string_view type, std::string_view name
) {
    return std::string(oid) + '/' + hex(schema) + '/' + hex(type) + '/' + hex(name);
}

/// match(query vector, k int4, least float8 DEFAULT 0.5, filter jsonb DEFAULT ...) of an SQL body.
Function match(std::string_view body, std::string_view fallback = "'{}'::jsonb") {
    const std::string parameters =
        parameter("90000", "public", "vector", "query") + ',' +
        parameter("23", "pg_catalog", "int4", "k") + ',' +
        parameter("701", "pg_catalog", "float8", "least") + '/' + hex("0.5") + ',' +
        parameter("3802", "pg_catalog", "jsonb", "filter") + '/' + hex(fallback);
    const std::string outputs = "20/-1/0/" + hex("key") + ",701/-1/0/" + hex("how far");
    const std::vector<std::optional<std::string_view>> row{
        "77", "1234", "sql", "t", "0", body, parameters, outputs};
    return decode_function(call_of("match"), row).value();
}

Statement read(std::string_view sql) {
    Statement statement{
        .text = std::string(sql), .normalised = parser::normalise(sql), .plan = {}, .hint = {}};
    statement.plan = PlanCache().plan(statement.normalised.text);
    return statement;
}

/// What becomes of SELECT * FROM match(arguments): the values in the parameters' places.
std::string put(
    std::string_view arguments,
    const std::vector<std::uint32_t>& types = {},
    std::string_view fallback = "'{}'::jsonb"
) {
    const Statement statement = read("SELECT * FROM match(" + std::string(arguments) + ") ");
    const Function function = match("SELECT $1, $2, $3, $4", fallback);
    const auto text = inlined(statement, *statement.call(), function, types);
    if (const auto* const why = std::get_if<Reason>(&text)) {
        return std::string(*why);
    }
    const std::string& whole = std::get<std::string>(text);
    const std::string_view before = "SELECT * FROM (SELECT ";
    const std::string_view behind = "\n) AS \"match\"(\"key\",\"how far\") ";
    REQUIRE(whole.starts_with(before));
    REQUIRE(whole.ends_with(behind));
    return whole.substr(before.size(), whole.size() - before.size() - behind.size());
}

const std::string vector = R"(::"public"."vector"), )";
const std::string rest =
    R"(, ((0.5)::"pg_catalog"."float8"), (('{}'::jsonb)::"pg_catalog"."jsonb"))";

}  // namespace

TEST_CASE("Arguments are put in place with their parameters' types", "[router]") {
    const std::string five = R"(((5)::"pg_catalog"."int4"))";
    CHECK(put("'[1,2]', 5") == "(('[1,2]')" + vector + five + rest);
    CHECK(put("$1, k => 5") == "(($1)" + vector + five + rest);
    CHECK(put("k => 5, query => $1") == "(($1)" + vector + five + rest);
    CHECK(put("$1::vector(2), 5::int") == "($1::vector(2)), (5::int)" + rest);
    CHECK(
        put("$1::public.vector, $2::smallint", {0, 21}) ==
        R"(($1::public.vector), (($2::smallint)::"pg_catalog"."int4"))" + rest
    );
    CHECK(put("$1, $2", {705, 21}) == "(($1)" + vector + R"((($2)::"pg_catalog"."int4"))" + rest);
    CHECK(
        put("$1, 5, -1, NULL") ==
        "(($1)" + vector + five +
            R"(, ((-1)::"pg_catalog"."float8"), ((NULL)::"pg_catalog"."jsonb"))"
    );
}

TEST_CASE("What PostgreSQL would not take for an argument is not put in place", "[router]") {
    const std::string refused(reason::function_arguments);
    CHECK(put("'[1,2]'") == refused);
    CHECK(put("'[1,2]', 5, 0.5, '{}', 1") == refused);
    CHECK(put("'[1,2]', 5, k => 6") == refused);
    CHECK(put("'[1,2]', count => 6") == refused);
    CHECK(put("query => '[1,2]', 5") == refused);
    CHECK(put("'[1,2]', 5, filter => '{}', 0.5") == refused);
    CHECK(put("'[1,2]', 5.5") == refused);
    CHECK(put("'[1,2]', true") == refused);
    CHECK(put("'[1,2]'::text, 5") == refused);
    CHECK(put("'[1,2]'::mine.vector, 5") == refused);
    CHECK(put("'[1,2]', 5::bigint") == refused);
    CHECK(put("$1, $2", {25, 0}) == refused);
    CHECK(put("$1, $2", {0, 20}) == refused);
    CHECK(put("$1, $2", {0, 1700}) == refused);
}

TEST_CASE("An argument that the body does not mention is Postgres' to evaluate", "[router]") {
    const Function function = match("SELECT $1, k");
    const auto answered = [&](std::string_view arguments) {
        const Statement statement = read("SELECT * FROM match(" + std::string(arguments) + ")");
        return std::holds_alternative<std::string>(
            inlined(statement, *statement.call(), function, {})
        );
    };
    CHECK(answered("$1, 5"));
    CHECK_FALSE(answered("$1, 5, 0.5"));
    CHECK_FALSE(answered("$1, 5, filter => 'not json'"));
}

TEST_CASE("A default is put in place where it is a constant", "[router]") {
    CHECK(put("$1, 5", {}, "NULL::jsonb").ends_with(R"(((NULL::jsonb)::"pg_catalog"."jsonb"))"));
    for (const std::string_view fallback :
         {"now()", "to_jsonb(1)", "$1", "'x'::mine", "NULL) , (1", "1) UNION SELECT (2", ""}) {
        CAPTURE(fallback);
        CHECK(put("$1, 5", {}, fallback) == reason::function_arguments);
        CHECK(put("$1, 5, 0.5, '{}'", {}, fallback) != reason::function_arguments);
    }
}

TEST_CASE("What a function's catalogue entry rules out is refused with a reason", "[router]") {
    const parser::FunctionCall call = call_of("match", "public");
    const std::string two = "20/-1/0/" + hex("a") + ",25/-1/100/" + hex("b");
    const std::string one = "20/-1/0/" + hex("a");
    const auto refused = [&](std::string_view language,
                             std::string_view plain,
                             std::string_view body,
                             std::string_view outputs) {
        const auto function = decode_function(
            call, {"77", "1234", language, plain, "0", body, std::nullopt, outputs}
        );
        return function.value().refused.value_or("");
    };
    CHECK(refused("sql", "t", "SELECT 1, 2", two).empty());
    CHECK(refused("plpgsql", "t", "BEGIN END", two) == reason::function_language);
    CHECK(refused("sql", "f", "SELECT 1, 2", two) == reason::function_form);
    CHECK(refused("sql", "t", "SELECT 1", one) == reason::function_form);
    CHECK(
        refused("sql", "t", "SELECT 1, 2 -- " + std::string(9000, 'x'), two) ==
        reason::function_form
    );
    CHECK(refused("sql", "t", "SELECT 1, match.x", two) == reason::function_form);
    CHECK(refused("sql", "t", "DELETE FROM t", two) == "not_select");
    CHECK_FALSE(decode_function(call, {"77", "1234"}));
    CHECK_FALSE(decode_function(call, {"77", std::nullopt, "sql", "t", "0", "SELECT 1", "", two}));
}

TEST_CASE("The facts are asked for the types of what comes out", "[router]") {
    const auto condition = [](std::string_view body) {
        const Statement statement = read("SELECT * FROM match($1, 5)");
        const Function function = match(body);
        const auto text = inlined(statement, *statement.call(), function, {});
        const auto recognition =
            parser::recognise(parser::normalise(std::get<std::string>(text)).text);
        CAPTURE(std::get<std::string>(text));
        const auto* const query = std::get_if<parser::NearestNeighbourQuery>(&recognition);
        REQUIRE(query != nullptr);
        return function_condition(*statement.call(), function, *query);
    };
    const auto known = condition("SELECT id, e <=> query FROM docs ORDER BY e <=> query LIMIT k");
    REQUIRE(known);
    CHECK(known->find("p.xmin OPERATOR(pg_catalog.=) '1234'") != std::string::npos);
    CHECK(known->find("has_function_privilege") != std::string::npos);
    CHECK(known->find("ANY (ARRAY['query'::pg_catalog.name") != std::string::npos);
    CHECK(
        known->find("a.attname OPERATOR(pg_catalog.=) 'id' AND a.atttypid OPERATOR(pg_catalog.=) 20"
        ) != std::string::npos
    );
    CHECK(known->find("a.attcollation OPERATOR(pg_catalog.=) 0)") != std::string::npos);
    CHECK(known->find("r.typrelid") == std::string::npos);
    CHECK(condition("SELECT id, 1 - (e <=> query) FROM docs ORDER BY e <=> query LIMIT k"));
    CHECK(condition("SELECT id, (e <#> query) * -1 FROM docs ORDER BY e <#> query LIMIT least(k, 9)"
    ));
    CHECK(condition("SELECT id, n FROM docs ORDER BY e <=> query LIMIT k"));
    CHECK_FALSE(condition("SELECT id + 1, e <=> query FROM docs ORDER BY e <=> query LIMIT k"));
    CHECK_FALSE(condition("SELECT e <=> query, id + 1 FROM docs ORDER BY e <=> query LIMIT k"));
    CHECK_FALSE(condition("SELECT * FROM docs ORDER BY e <=> query LIMIT k"));
    CHECK_FALSE(condition("SELECT id FROM docs ORDER BY e <=> query LIMIT k"));
    CHECK_FALSE(condition(
        "SELECT d.id, d.n FROM docs d JOIN o ON o.id = d.id ORDER BY d.e <=> query LIMIT k"
    ));
}

TEST_CASE("The facts are asked for the columns of the row type that comes out", "[router]") {
    const parser::FunctionCall call = call_of("match");
    const std::string columns = "20/-1/0/" + hex("id") + ",25/-1/950/" + hex("title");
    const std::string query = parameter("90000", "public", "vector", "query");
    const auto function = decode_function(
        call,
        {"77",
         "1234",
         "sql",
         "t",
         "4711",
         "SELECT * FROM docs ORDER BY e <=> query LIMIT 5",
         query,
         columns}
    );
    REQUIRE(function);
    CHECK(function->outputs.at(1).collation == 950);
    const auto recognition =
        parser::recognise("SELECT * FROM docs ORDER BY e <=> $1::public.vector LIMIT 5");
    const auto condition =
        function_condition(call, *function, std::get<parser::NearestNeighbourQuery>(recognition));
    REQUIRE(condition);
    CHECK(condition->find("r.oid OPERATOR(pg_catalog.=) 4711") != std::string::npos);
    CHECK(condition->ends_with(
        " OPERATOR(pg_catalog.=) '" + columns + "' AND c.reltype OPERATOR(pg_catalog.=) 4711"
    ));
}

TEST_CASE("What is known of functions is forgotten in time", "[router]") {
    KnownFunctions known;
    const parser::FunctionCall bare = call_of("match");
    const parser::FunctionCall named = call_of("match", "public");
    CHECK(known.find("app", bare, 0) == nullptr);
    const auto function = std::make_shared<const Function>(match("SELECT 1"));
    known.put("app", bare, function, 0);
    CHECK(known.find("app", bare, 3'600'000'000'000) == function);
    CHECK(known.find("app", named, 0) == nullptr);
    Function refused;
    refused.refused = reason::function_language;
    known.put("app", named, std::make_shared<const Function>(refused), 5);
    CHECK(known.find("app", named, 4 + KnownFunctions::refused_ns) != nullptr);
    CHECK(known.find("app", named, 5 + KnownFunctions::refused_ns) == nullptr);
    CHECK(known.find("other", bare, 0) == nullptr);
    for (std::size_t i = 0; i < KnownFunctions::entries_max + 1; ++i) {
        known.put("app", call_of(std::to_string(i), "s"), function, 0);
    }
    CHECK(known.find("app", call_of("0", "s"), 0) == nullptr);
}

}  // namespace veer::router
