#include "proxy/wire/frontend.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

// Parse and Describe of a search that Postgres has accepted before: no round trip, and Postgres
// hears of it when something there needs it.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* text = "SELECT id FROM docs ORDER BY e <-> $1 LIMIT 3";

/// The search has been prepared, described and run once.
struct Accepted : F {
    Accepted() {
        client(parse("", text) + sync());
        server(bare('1') + ready());
        client(bind("", {"[7,0]"}) + execute() + sync());
        REQUIRE(types(answer_facts()) == "2DDDCZ");
        client(describe('S', "") + sync());
        server(parameters() + row() + ready());
    }

    static std::string parameters() { return {"t\0\0\0\n\0\1\0\0@\1", 11}; }

    static std::string row() { return {"T\0\0\0\6\0\0", 7}; }
};

}  // namespace

TEST_CASE_METHOD(Accepted, "Parse, Bind, Describe, Execute, Sync without the server", "[proxy]") {
    CHECK(client(parse("", text) + bind("", {"[7,0]"}) + describe_portal() + execute() + sync())
              .empty());
    CHECK(types(to_client()) == "12TDDDCZ");
}

TEST_CASE_METHOD(Accepted, "Describe says what Postgres has said", "[proxy]") {
    CHECK(client(parse("", text) + describe('S', "") + sync()).empty());
    CHECK(to_client() == bare('1') + parameters() + row() + ready());
}

TEST_CASE_METHOD(Accepted, "Postgres hears of the Parse before its Bind", "[proxy]") {
    const std::string unseen = parse("", text);
    const std::string bad = bind("", {"no vector"}) + execute() + sync();
    CHECK(client(unseen + bad) == unseen + bad);
    CHECK(types(to_client()) == "1");
    CHECK(types(server(bare('1') + error("22P02") + ready())) == "EZ");
}

TEST_CASE_METHOD(Accepted, "an error of the late Parse reaches the client", "[proxy]") {
    client(parse("", text) + bind("", {"no vector"}) + execute() + sync());
    to_client();
    CHECK(types(server(error("42P01") + ready())) == "EZ");
}

TEST_CASE_METHOD(Accepted, "a later Parse of something else replaces it", "[proxy]") {
    client(parse("", text) + sync());
    to_client();
    const std::string other = parse("", "SELECT 1") + bind("", {}) + execute() + sync();
    CHECK(client(other) == other);
}

TEST_CASE_METHOD(Accepted, "the client's Close is known to Postgres", "[proxy]") {
    client(parse("", text) + sync());
    to_client();
    CHECK(types(client(close('S', "") + bind("", {}) + sync())) == "PCBS");
}

TEST_CASE_METHOD(Accepted, "when names may have changed Postgres is asked again", "[proxy]") {
    client(query("SET search_path = other"));
    server(command_complete("SET") + ready());
    const std::string again = parse("", text);
    CHECK(client(again) == again);
}

TEST_CASE_METHOD(Accepted, "other parameter types are another statement", "[proxy]") {
    std::string typed;
    wire::write_parse(typed, "", text, {25});
    CHECK(client(typed) == typed);
}

TEST_CASE_METHOD(Accepted, "facts that hide the table leave Parse to Postgres", "[proxy]") {
    router.note_write();
    client(bind("", {"[7,0]"}) + execute() + sync());
    answer_facts({{3, "f"}});
    to_server();
    server(bare('2') + command_complete("SELECT 0") + ready());
    const std::string again = parse("", text);
    CHECK(client(again) == again);
}

TEST_CASE_METHOD(Accepted, "whether a late Parse was skipped is waited for", "[proxy]") {
    const std::string bind_it = bind("", {"no vector"}) + sync();
    client(parse("", text) + execute() + bind_it + bind_it);
    server(error("34000") + ready());
    CHECK(to_server() == parse("", text) + bind_it);
}

TEST_CASE("what a batch parsed before it failed stays parsed", "[proxy]") {
    F f;
    f.client(F::query("SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"));
    f.answer_facts();
    const std::string failing = F::parse("", "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 3") +
                                F::execute() + F::bind("", {"[7,0]"}) + F::sync();
    f.client(failing);
    f.server(F::bare('1') + F::error("34000") + F::ready());
    const std::string again = F::bind("", {"no vector"}) + F::sync();
    CHECK(f.client(again) == again);
}

}  // namespace veer::proxy::session
