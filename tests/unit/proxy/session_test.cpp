#include "proxy/wire/backend.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

// What passes through passes unchanged, in whatever pieces it comes.

namespace veer::proxy::session {

using F = SessionFixture;

TEST_CASE("an ordinary query and its reply pass byte for byte, cut anywhere", "[proxy]") {
    const std::string question = F::query("select a from b");
    const std::string reply = F::data_row({"1"}) + F::command_complete("SELECT 1") + F::ready();
    for (std::size_t cut = 0; cut <= question.size(); ++cut) {
        F f;
        std::string sent = f.client(question.substr(0, cut));
        sent += f.client(question.substr(cut));
        CHECK(sent == question);
        std::string received;
        for (const char byte : reply) {
            received += f.server(std::string(1, byte));
        }
        CHECK(received == reply);
    }
}

TEST_CASE("a malformed length turns the session into a pipe", "[proxy]") {
    F f;
    const std::string broken = std::string("Q\0\0\0\1", 5) + "anything";
    CHECK(f.client(broken) == broken);
    CHECK(f.client("more") == "more");
    CHECK(f.server("whatever") == "whatever");
}

TEST_CASE("a message type that Postgres does not know is left to Postgres", "[proxy]") {
    F f;
    const std::string odd("!\0\0\0\4", 5);
    CHECK(f.client(odd) == odd);
}

TEST_CASE("a reply that nobody asked for turns the session into a pipe", "[proxy]") {
    F f;
    const std::string stray = F::ready();
    CHECK(f.server(stray) == stray);
    CHECK(f.server("xyz") == "xyz");
}

TEST_CASE("notices and notifications pass at any time", "[proxy]") {
    F f;
    const std::string notice("N\0\0\0\5\0", 6);
    CHECK(f.server(notice) == notice);
    f.client(F::query("select 1"));
    CHECK(f.server(notice) == notice);
}

TEST_CASE("SHOW veer.last is answered in the simple and in the extended protocol", "[proxy]") {
    F f;
    CHECK(f.client(F::query("SHOW veer.last")).empty());
    CHECK(F::types(f.to_client()) == "TDCZ");
    CHECK(f.client(
               F::parse("", "show veer.routes") + F::bind("", {}) + F::describe_portal() +
               F::execute() + F::sync()
    )
              .empty());
    CHECK(F::types(f.to_client()) == "12TDCZ");
}

TEST_CASE("an upstream that goes away is told once, with an SQLSTATE", "[proxy]") {
    F f;
    f.session.on_server_closed(f.out);
    CHECK(f.out.close);
    CHECK(f.out.to_client.find("08006") != std::string::npos);
    Session early({}, f.router, {.major = 3, .minor = 0, .parameters = {}});
    Output said;
    early.on_server_closed(said);
    CHECK(said.close);
    CHECK(said.to_client.empty());  // nor would Postgres say why it does not let somebody in
    F told;
    std::string fatal;
    wire::write_fatal(fatal, "57P01", "terminating connection");
    told.server(fatal);
    told.session.on_server_closed(told.out);
    CHECK(told.out.to_client.empty());
}

TEST_CASE("no more statements of veer's own are kept than of others", "[proxy]") {
    F f;
    constexpr int statements_max = 10'000;
    for (int i = 0; i < statements_max; ++i) {
        CHECK(f.client(F::parse("s" + std::to_string(i), "SHOW veer.last")).empty());
    }
    f.client(F::sync());
    const std::string one_more = F::parse("t", "SHOW veer.last");
    CHECK(f.client(one_more) == one_more);
    CHECK(f.client(F::parse("s7", "SHOW veer.last")).empty());
}

}  // namespace veer::proxy::session
