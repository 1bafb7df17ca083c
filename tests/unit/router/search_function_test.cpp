#include "router/search_function.hpp"

#include "parser/normalise.hpp"
#include "router/statement.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace veer::router {

namespace {

RouteTable routes() {
    Route docs;
    docs.name = "public.docs.e <=>";
    docs.column.table.schema = "public";
    docs.column.table.name = "docs";
    docs.column.table.columns = {
        {.name = "id", .type_oid = 20},
        {.name = "tenant", .type_oid = 23},
        {.name = "e", .type_oid = 16385, .typmod = 2}};
    docs.column.table.key = {0};
    docs.column.table.vectors = {2};
    docs.column.ann.operator_name = "<=>";
    RouteTable table;
    table.routes = {docs};
    return table;
}

Statement read(std::string_view sql) {
    Statement statement{
        .text = std::string(sql), .normalised = parser::normalise(sql), .plan = {}, .hint = {}};
    Uncommented uncommented = uncomment(statement.normalised.text);
    statement.plan = PlanCache().plan(uncommented.text);
    statement.hint = uncommented.hint;
    return statement;
}

/// The text in the place of this one, or the SQLSTATE of why there is none.
std::string put(std::string_view sql, bool utf8 = true) {
    const Statement statement = read(sql);
    REQUIRE(statement.plan->table_function);
    const auto text =
        search_text(statement, *statement.plan->table_function, routes(), utf8, {"public"});
    const auto* const why = std::get_if<Complaint>(&text);
    return why == nullptr ? std::get<std::string>(text) : why->sqlstate;
}

/// What is behind the table's name, of one column asked of a call with these arguments.
std::string around(std::string_view arguments, bool utf8 = true) {
    const std::string text =
        put("SELECT id FROM veer.search('docs', $1" + std::string(arguments) + ')', utf8);
    const std::string_view table = R"( FROM "public"."docs")";
    const std::size_t at = text.find(table);
    return at == std::string::npos ? text : text.substr(at + table.size());
}

constexpr const char* not_supported = "0A000";

}  // namespace

TEST_CASE("A call becomes the SELECT that says the same", "[router]") {
    CHECK(
        put("SELECT id, distance AS d FROM veer.search('docs', $1, 5, filter => '{\"tenant\": 3}') "
            ";") ==
        R"(/* veer: route=veer */SELECT "id" AS "id", "e" <=> $1 AS "d" FROM "public"."docs" )"
        R"(WHERE "docs"."tenant" = '3' ORDER BY "e" <=> $1 LIMIT 5 ;)"
    );
    CHECK(
        put("SELECT s.id FROM veer.search('docs', $1, ef => 70) s WHERE s.id > 3") ==
        R"(SELECT s.id FROM (/* veer: route=veer ef=70 */SELECT *, "e" <=> $1 AS "distance" FROM )"
        R"("public"."docs" ORDER BY "e" <=> $1 LIMIT 10) AS "s" WHERE s.id > 3)"
    );
}

TEST_CASE("A filter is never dropped", "[router]") {
    const std::string filtered = R"( WHERE "docs"."tenant" = '3' ORDER BY "e" <=> $1 LIMIT 5)";
    const std::string plain = R"( ORDER BY "e" <=> $1 LIMIT 5)";
    const std::string filter = R"('{"tenant": 3}')";
    // veer's own place for it, and RuVector's behind a truth value, or NULL for one.
    CHECK(around(", 5, 40, " + filter) == filtered);
    CHECK(around(", 5, 40, " + filter + ", NULL") == filtered);
    CHECK(around(", 5, 40, " + filter + ", false") == filtered);
    CHECK(around(", 5, 40, false, " + filter) == filtered);
    CHECK(around(", 5, 40, NULL, " + filter) == filtered);
    CHECK(around(", 5, 40, NULL, NULL") == plain);
    CHECK(around(", 5, 40, NULL, false") == plain);
    CHECK(around(", 5, 40, false") == plain);
    CHECK(around(", 5, p_use_gnn => false, filter => " + filter) == filtered);
    // Two of them, or one where a truth value belongs.
    CHECK(around(", 5, 40, " + filter + ", " + filter) == not_supported);
    CHECK(around(", 5, 40, '{}', " + filter) == not_supported);
    CHECK(around(", 5, p_use_gnn => " + filter) == not_supported);
    CHECK(around(", 5, p_use_gnn => 1") == not_supported);
    CHECK(around(", 5, p_use_gnn => true") == not_supported);
    // Parameters would be gone from the text, and their values nobody's.
    CHECK(around(", 5, p_use_gnn => $2") == not_supported);
    CHECK(around(", 5, 40, NULL, $2") == not_supported);
    CHECK(around(", 5, 40, $2, " + filter) == not_supported);
}

TEST_CASE("A parameter for k that is NULL is the default, not all rows", "[router]") {
    const std::string begin = R"( ORDER BY "e" <=> $1 LIMIT )";
    CHECK(around(", NULL") == begin + "10");
    CHECK(around(", $2") == begin + "coalesce($2, 10)");
    CHECK(around(", k => $2::bigint") == begin + "coalesce($2::bigint, 10)");
    // It is a search like that with a number.
    const Statement put_in_place = read("SELECT id FROM docs" + around(", $2"));
    REQUIRE(put_in_place.search() != nullptr);
    CHECK(std::holds_alternative<parser::Argument>(put_in_place.search()->limit.value));
    CHECK(put_in_place.search()->limit.as_int4);
}

TEST_CASE("What comments say in the text that is replaced stays said", "[router]") {
    const auto hint = [](std::string_view sql) {
        return read(put(sql)).hint;
    };
    CHECK(
        hint("SELECT /* veer: route=postgres key=k7 */ id FROM veer.search('docs', $1)").route ==
        cutover::Voice::postgres
    );
    CHECK(hint("SELECT /* veer: key=k7 */ id FROM veer.search('docs', $1)").key == "k7");
    CHECK(hint("SELECT id FROM veer.search('docs', /*app='web'*/ $1)").tags.size() == 1);
    CHECK(
        hint("SELECT * FROM veer.search('docs', -- why\n/* NO LOAD BALANCE */ $1) s WHERE id > 3")
            .route == cutover::Voice::postgres
    );
    CHECK(
        hint("/* veer: key=k8 */ SELECT id FROM veer.search('docs', $1) /*app='web'*/").key == "k8"
    );
    // A comment in a constant is none.
    CHECK(hint("SELECT id FROM veer.search('docs', '/* veer: key=k9 */')").key.empty());
}

TEST_CASE("Outside of UTF8 a filter is of ASCII", "[router]") {
    const std::string plain = R"(, filter => '{"tenant": "a"}')";
    const std::string escaped = R"(, filter => '{"tenant": "\u00e9"}')";
    const std::string written = ", filter => '{\"tenant\": \"\xc3\xa9\"}'";
    CHECK(around(plain, false) == around(plain, true));
    CHECK(around(escaped, false) == not_supported);
    CHECK(around(written, false) == not_supported);
    CHECK(around(escaped, true) == around(written, true));
}

namespace {

/// What a name is rewritten to, `FROM "schema"."table"`, or the SQLSTATE of why there is none.
std::string place_of(const RouteTable& table, const char* name, std::vector<std::string> path) {
    const Statement statement = read("SELECT id FROM veer.search('" + std::string(name) + "', $1)");
    const auto text = search_text(statement, *statement.plan->table_function, table, true, path);
    if (const auto* const why = std::get_if<Complaint>(&text)) {
        return why->sqlstate;
    }
    const std::string& put = std::get<std::string>(text);
    const std::size_t from = put.find(" FROM ") + 6;
    return put.substr(from, put.find(" ORDER") - from);
}

Declaration declared(Declaration::Kind kind, const char* name, const char* schema) {
    Declaration made;
    made.kind = kind;
    made.name = name;
    made.schema = schema;
    made.table = "mine";
    made.column = "e";
    made.operator_name = "<->";
    return made;
}

TEST_CASE("Nobody comes between a name and what it means", "[router]") {
    using Kind = Declaration::Kind;
    const std::string docs = R"("public"."docs")";
    const std::string evil = R"("evil"."mine")";
    const std::vector<std::string> path{"pg_catalog", "public"};
    // Each of a route's own names, as a name of another's.
    for (const char* const name :
         {"public.docs.e <=>", "public.docs.e", "docs.e", "public.docs", "docs"}) {
        for (const Kind kind : {Kind::index, Kind::collection}) {
            CAPTURE(name, kind);
            RouteTable table = routes();
            table.declared = {declared(kind, name, "evil")};
            CHECK(place_of(table, name, path) == docs);
        }
    }
    RouteTable table = routes();
    table.declared = {
        declared(Kind::index, "docs_e", "evil"), declared(Kind::index, "docs_e", "public")};
    CHECK(place_of(table, "docs_e", path) == R"("public"."mine")");
    CHECK(place_of(table, "docs_e", {"evil", "public"}) == evil);
    CHECK(place_of(table, "evil.docs_e", path) == evil);
    table.declared.pop_back();
    CHECK(place_of(table, "docs_e", path) == "42704");
    CHECK(place_of(table, "evil.mine.e <->", path) == evil);
    // A table of the same name that is copied, but not in the search_path.
    table = routes();
    table.routes.front().column.table.schema = "evil";
    table.routes.front().name = "evil.docs.e <=>";
    table.declared = {declared(Kind::collection, "docs", "shop")};
    CHECK(place_of(table, "docs", path) == R"("shop"."mine")");
}

TEST_CASE("The search_path is read as Postgres writes an array", "[router]") {
    const TakenNames names = decode_taken_names("", R"({pg_catalog,"a,\"b\\",c})");
    CHECK(names.path == std::vector<std::string>{"pg_catalog", "a,\"b\\", "c"});
    CHECK(!names.veer_search);
    CHECK(decode_taken_names("t f", "{}").veer_search);
    CHECK(decode_taken_names("", "{}").path.empty());
}

}  // namespace

}  // namespace veer::router
