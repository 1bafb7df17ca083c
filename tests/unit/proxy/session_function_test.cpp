#include "router/known_functions.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

// A call of a function whose body is a search: what one session is refused, is no other's concern.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* call = "SELECT * FROM match('[7,0]', 3)";

struct Calling {
    Calling() {
        config::Route route;
        route.column = {"public", "docs", "e"};
        route.operator_name = "<->";
        route.percent = 100;
        route.functions = {{"public", "match"}};
        f.config.routes = {route};
        f.router.configure(f.config);
    }

    /// Of a question of veer's; without fields there is no row.
    std::string answer(const std::vector<std::string>& fields) {
        const std::string row = fields.empty() ? "" : F::data_row(fields);
        return f.server(
            F::bare('3') + F::bare('1') + F::bare('2') + row + F::command_complete("SELECT") +
            F::bare('3') + F::bare('3') + F::ready()
        );
    }

    std::string describe_function(const std::string& version) {
        return answer(
            {"77",
             version,
             "sql",
             "t",
             "0",
             "SELECT id, e <-> $1 FROM docs ORDER BY e <-> $1 LIMIT $2",
             "16385/7075626c6963/766563746f72/,23/70675f636174616c6f67/696e7434/",
             "20/-1/0/6964,701/-1/0/64"}
        );
    }

    /// What the call makes veer ask: about the function, about the route, or nothing.
    std::string asked() {
        const std::string sent = f.client(F::query(call));
        const bool function = sent.find("p.prosrc") != std::string::npos;
        const bool facts = sent.find("veer_facts") != std::string::npos;
        return function ? "function" : facts ? "facts" : sent == F::query(call) ? "nothing" : sent;
    }

    /// The server answers the statement that was passed to it.
    void finish() { f.server(F::command_complete("SELECT 3") + F::ready()); }

    std::shared_ptr<const router::Function> known() {
        parser::FunctionCall named;
        named.name = "match";
        return f.router.functions().find("me", named, f.now.nanoseconds);
    }

    F f;
};

}  // namespace

TEST_CASE("what does not hold here is still known to others, and asked for once", "[proxy]") {
    Calling c;
    CHECK(c.asked() == "function");
    c.describe_function("1");
    const auto function = c.known();
    REQUIRE(function);
    c.f.to_server();
    c.answer({});  // the role may not execute it
    CHECK(c.f.to_server() == F::query(call));
    c.finish();
    CHECK(c.known() == function);

    CHECK(c.asked() == "function");  // it may have been replaced
    c.describe_function("1");
    CHECK(c.f.to_server().find("has_function_privilege") != std::string::npos);
    c.answer({});
    CHECK(c.f.to_server() == F::query(call));
    c.finish();
    CHECK(c.known() == function);
    CHECK(c.asked() == "nothing");
    c.finish();

    c.f.now = {c.f.now.nanoseconds + router::KnownFunctions::refused_ns};
    CHECK(c.asked() == "facts");
    c.answer({});
    c.finish();
    CHECK(c.asked() == "function");
    c.describe_function("2");
    CHECK(c.known() != function);
    CHECK(c.f.to_server().find("veer_facts") != std::string::npos);
}

TEST_CASE("what only has a function's name in it is neither asked about nor counted", "[proxy]") {
    Calling c;
    for (const char* const sql :
         {"CREATE ROLE matchmaker PASSWORD 'secret'",
          "CREATE FUNCTION match(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
          "INSERT INTO match (a) VALUES (E'secret')"}) {
        CHECK(c.f.client(F::query(sql)) == F::query(sql));
        c.f.server(F::command_complete("OK") + F::ready());
    }
    CHECK(c.f.router.plans().plans().empty());
    c.f.client(F::query("SHOW veer.last"));
    CHECK(c.f.to_client().find("not_select") == std::string::npos);
}

}  // namespace veer::proxy::session
