#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::proxy::session {

using CancelAction = Session::CancelAction;

TEST_CASE_METHOD(SessionFixture, "a cancel of a quiet session goes nowhere") {
    CHECK(session.on_cancel(now, out) == CancelAction::nothing);
    CHECK_FALSE(session.paused());
}

TEST_CASE_METHOD(SessionFixture, "no later statement goes out before a cancel has arrived") {
    const std::string next = query("SELECT 2");
    client(query("SELECT pg_sleep(9)"));
    CHECK(session.on_cancel(now, out) == CancelAction::forward);
    CHECK(client(next).empty());
    server(error("57014") + ready());
    CHECK(to_server().empty());
    session.on_cancel_relayed(now, out);
    CHECK(to_server() == next);
}

TEST_CASE_METHOD(SessionFixture, "a session is at rest between transactions only") {
    CHECK(session.at_rest());
    client(query("BEGIN"));
    CHECK_FALSE(session.at_rest());
    server(command_complete("BEGIN") + ready('T'));
    CHECK_FALSE(session.at_rest());
    client(query("COMMIT"));
    server(command_complete("COMMIT") + ready());
    CHECK(session.at_rest());
}

TEST_CASE_METHOD(SessionFixture, "shutdown says what Postgres would say") {
    session.on_shutdown(out);
    CHECK(out.close);
    CHECK(out.to_client.find("C57P01") != std::string::npos);
}

TEST_CASE_METHOD(SessionFixture, "a client that has ended its side is told nothing at the end") {
    session.on_client_ended();
    CHECK(session.server_side_done());
    session.on_server_closed(out);
    CHECK(out.to_client.empty());
}

TEST_CASE_METHOD(SessionFixture, "what a client left incomplete does not keep the server") {
    client(query("SELECT 1").substr(0, 9));
    session.on_client_ended();
    CHECK(session.server_side_done());
}

TEST_CASE_METHOD(SessionFixture, "a search under way is finished before the server is let go") {
    client(query("SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3") + query("SELECT 1"));
    session.on_client_ended();
    CHECK_FALSE(session.server_side_done());
    answer_facts();
    CHECK(to_server() == query("SELECT 1"));
    CHECK(session.server_side_done());
}

TEST_CASE_METHOD(SessionFixture, "an idle session is told what Postgres would say") {
    session.on_idle_timeout(out);
    CHECK(out.close);
    CHECK(out.to_client.find("C57P05") != std::string::npos);
}

TEST_CASE_METHOD(
    SessionFixture, "what fails may have committed before, and what is never answered"
) {
    for (const std::string& statement :
         {query("CALL p()"), parse("", "CALL p()") + bind("", {}) + execute() + sync()}) {
        client(statement);
        server(types(statement) == "Q" ? "" : bare('1') + bare('2'));
        const std::uint64_t before = router.write_epoch();
        server(error("P0001") + ready());
        CHECK(router.write_epoch() > before);
    }
    client(query("SELECT nothing"));
    std::uint64_t before = router.write_epoch();
    server(error("42703") + ready());
    CHECK(router.write_epoch() == before);
    client(query("COMMIT"));
    before = router.write_epoch();
    session.on_server_closed(out);
    CHECK(router.write_epoch() > before);
}

}  // namespace veer::proxy::session
