#include "proxy/wire/backend.hpp"
#include "proxy/wire/frontend.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

// What a client is told of its searches: by EXPLAIN, and by SET veer.notice = on.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* nearest = "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3";
constexpr const char* documents = "SELECT id, e FROM docs ORDER BY e <-> '[7,0]' LIMIT 3";
constexpr const char* unlimited = "SELECT id FROM docs ORDER BY e <-> '[7,0]'";

std::string explain(std::string_view sql) {
    return F::query("EXPLAIN (COSTS off) " + std::string(sql));
}

std::string plan() {
    return F::bare('T') + F::data_row({"a plan"}) + F::command_complete("EXPLAIN") + F::ready();
}

/// The answer to the question for what the session wants to hear.
std::string settings(std::string_view messages, std::string_view searches) {
    std::string reply = F::bare('3') + F::bare('1') + F::bare('2');
    reply += F::data_row({std::string(messages), std::string(searches)});
    return reply + F::command_complete("SELECT 1") + F::bare('3') + F::bare('3');
}

/// The message of the NoticeResponse among `bytes`; "none" where there is none.
std::string notice(wire::Bytes bytes) {
    wire::FrameHeader header;
    while (wire::peek_header(bytes, header) == wire::FrameStatus::ok) {
        const wire::Frame frame = wire::frame_at(bytes, header);
        if (frame.type == 'N') {
            const wire::Diagnostics read = wire::decode_diagnostics(frame.payload);
            return read.severity + ' ' + read.sqlstate + ' ' + read.message;
        }
        bytes.remove_prefix(header.whole_bytes);
    }
    return "none";
}

/// A session that has said SET veer.notice = on.
void turn_on(F& f) {
    f.client(F::query("SET veer.notice = on"));
    f.server(F::command_complete("SET") + F::ready());
}

/// Answers both questions.
void answer_all(F& f, std::string_view searches = "on") {
    f.server(settings("notice", searches) + F::ready());
    f.answer_facts();
}

}  // namespace

TEST_CASE("EXPLAIN of a search has Postgres' plan and one notice", "[proxy]") {
    F f;
    const std::string question = explain(nearest);
    CHECK(F::types(f.client(question)) == "CPBECCS");
    CHECK(f.server(settings("notice", "") + F::ready()).empty());
    CHECK(F::types(f.to_server()) == "CPBECCS");
    CHECK(f.answer_facts().empty());
    CHECK(f.to_server() == question);
    const std::string answer = f.server(plan());
    CHECK(F::types(answer) == "TDNCZ");
    CHECK(notice(answer) == "NOTICE 00000 veer would answer this search from its index (local)");
    CHECK(answer.find("a plan") != std::string::npos);
    CHECK(f.session.last_search().reason == "not_select");
}

TEST_CASE("EXPLAIN says what the facts forbid, and what needs no facts", "[proxy]") {
    F f;
    f.client(explain(documents));
    f.server(settings("notice", "") + F::ready());
    f.answer_facts({{2, "t"}});
    CHECK(notice(f.server(plan())).ends_with("leave this search to PostgreSQL (row_security)"));
    F outside(0);
    const std::string question = explain(nearest);
    CHECK(F::types(outside.client(question)) == "CPBECCS");
    outside.server(settings("notice", "") + F::ready());
    CHECK(outside.to_server() == question);
    CHECK(notice(outside.server(plan())).ends_with("leave this search to PostgreSQL (percent)"));
}

TEST_CASE("EXPLAIN of anything else passes unasked", "[proxy]") {
    F f;
    for (const std::string& question :
         {explain("SELECT 1"),
          explain(unlimited),
          explain("SELECT id FROM others ORDER BY e <-> '[7,0]' LIMIT 3"),
          F::query("EXPLAIN SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3; SELECT 2")}) {
        CHECK(f.client(question) == question);
        CHECK(F::types(f.server(plan())) == "TDCZ");
    }
}

TEST_CASE("EXPLAIN of a route that is off says nothing", "[proxy]") {
    F f;
    f.router.routes()->routes[0].traffic->set(
        router::cutover::State::off, 0, router::cutover::Cause::off
    );
    const std::string question = explain(nearest);
    CHECK(f.client(question) == question);
}

TEST_CASE("who turned notices down is spared", "[proxy]") {
    F f;
    f.client(explain(nearest));
    f.server(settings("warning", "on") + F::ready());
    f.answer_facts();
    CHECK(F::types(f.server(plan())) == "TDCZ");
}

TEST_CASE("EXPLAIN in the extended protocol, with a parameter", "[proxy]") {
    F f;
    const std::string parse =
        F::parse("s", "EXPLAIN SELECT id, e <-> $1 FROM docs ORDER BY e <-> $1 LIMIT 3");
    f.client(parse + F::sync());
    f.server(F::bare('1') + F::ready());
    const std::string batch =
        F::bind("s", {"[7,0]"}) + F::describe_portal() + F::execute() + F::sync();
    CHECK(F::types(f.client(batch)) == "CPBECCS");
    answer_all(f, "");
    CHECK(f.to_server().ends_with(batch));
    const std::string answer = f.server(
        F::bare('2') + F::bare('T') + F::data_row({"a plan"}) + F::command_complete("EXPLAIN") +
        F::ready()
    );
    CHECK(F::types(answer) == "2TDNCZ");
    CHECK(notice(answer).ends_with("(local)"));
}

TEST_CASE("an EXPLAIN in the middle of a batch asks without a Sync", "[proxy]") {
    F f;
    f.client(F::parse("", "EXPLAIN SELECT id FROM docs ORDER BY e <-> $1 LIMIT 3"));
    f.server(F::bare('1'));
    f.to_server();
    CHECK(F::types(f.client(F::bind("", {"[7,0]"}) + F::execute() + F::flush())) == "CPBECCH");
    f.server(settings("notice", ""));
    CHECK(F::types(f.to_server()) == "CPBECCH");
    f.answer_flushed_facts();
    CHECK(F::types(f.to_server()) == "BEH");
    CHECK(F::types(f.server(F::bare('2') + F::command_complete("EXPLAIN"))) == "2NC");
}

TEST_CASE("veer.notice tells of a search that veer answers", "[proxy]") {
    F f;
    turn_on(f);
    f.client(F::query(nearest));
    CHECK(f.server(settings("notice", "on") + F::ready()).empty());
    const std::string first = f.answer_facts();
    CHECK(F::types(first) == "TDDDNCZ");
    CHECK(notice(first) == "NOTICE 00000 veer answered this search from its index (local)");
    f.to_server();
    CHECK(f.client(F::query(nearest)).empty());  // nothing has to be asked again
    CHECK(F::types(f.to_client()) == "TDDDNCZ");
}

TEST_CASE("veer.notice tells of a portal once, with its end", "[proxy]") {
    F f;
    turn_on(f);
    f.client(F::parse("s", "SELECT id FROM docs ORDER BY e <-> $1 LIMIT 3") + F::sync());
    f.server(F::bare('1') + F::ready());
    f.client(F::bind("s", {"[7,0]"}) + F::execute(2) + F::execute() + F::execute() + F::sync());
    f.server(settings("notice", "on"));
    const std::string answer = f.answer_flushed_facts();
    CHECK(F::types(answer) == "2DDsDNCC");
}

TEST_CASE("veer.notice tells of a search under keys", "[proxy]") {
    F f;
    turn_on(f);
    f.client(F::query(documents));
    answer_all(f);
    f.to_server();
    const std::string rows = F::data_row({"7", "a"}) + F::data_row({"6", "b"}) +
                             F::data_row({"8", "c"}) + F::command_complete("SELECT 3");
    const std::string answer = f.server(F::bare('T') + rows + F::ready());
    CHECK(F::types(answer) == "TDDDNCZ");
    CHECK(notice(answer).ends_with("(rewrite)"));
}

TEST_CASE("veer.notice tells of what falls short and of what is refused", "[proxy]") {
    F f;
    turn_on(f);
    f.client(F::query(documents));
    answer_all(f);
    f.to_server();
    const std::string one =
        F::bare('T') + F::data_row({"7", "a"}) + F::command_complete("SELECT 1");
    CHECK(f.server(one + F::ready()).empty());
    CHECK(f.to_server() == F::query(documents));
    CHECK(notice(f.server(one + F::ready())).ends_with("to PostgreSQL (short_answer)"));

    const std::string question = F::query(unlimited);
    CHECK(F::types(f.client(question)) == "CPBECCS");
    f.server(settings("notice", "on") + F::ready());
    CHECK(f.to_server() == question);
    CHECK(notice(f.server(one + F::ready())).ends_with("to PostgreSQL (no_limit)"));
    f.client(explain(unlimited));
    f.server(settings("notice", "on") + F::ready());
    CHECK(f.to_server() == explain(unlimited));
    CHECK(notice(f.server(plan())).ends_with("would leave this search to PostgreSQL (no_limit)"));
}

TEST_CASE("a statement that fails has no notice, nor has the next", "[proxy]") {
    F f;
    turn_on(f);
    f.client(F::query(unlimited));
    f.server(settings("notice", "on") + F::ready());
    CHECK(F::types(f.server(F::error("42703") + F::ready())) == "EZ");
    f.client(F::query("SELECT 1"));
    CHECK(F::types(f.server(F::bare('T') + F::command_complete("SELECT 1") + F::ready())) == "TCZ");
}

TEST_CASE("veer.notice off again is believed", "[proxy]") {
    F f;
    turn_on(f);
    f.client(F::query(nearest));
    answer_all(f);
    f.to_server();
    f.client(F::query("SET veer.notice = off"));
    f.server(F::command_complete("SET") + F::ready());
    f.client(F::query(nearest));
    f.server(settings("notice", "off") + F::ready());
    CHECK(F::types(f.answer_facts()) == "TDDDCZ");
}

TEST_CASE("EXPLAIN foresees that rows without a vector come first", "[proxy]") {
    const std::string similar = "SELECT id FROM docs ORDER BY 1 - (e <-> '[7,0]') DESC LIMIT 3";
    F f;
    config::Route route;
    route.column = {"public", "docs", "e"};
    route.operator_name = "<->";
    route.percent = 100;
    route.order_by_similarity = true;
    f.config.routes.push_back(route);
    f.router.configure(f.config);
    f.client(explain(similar));
    answer_all(f);
    CHECK(notice(f.server(plan())).find("veer") != std::string::npos);
    storage::Row row;
    storage::append_key_column(row.key, std::string(7, '\0') + '\x63');
    row.vectors.emplace_back(storage::NullVector{});
    f.replica.apply(
        {.commit_lsn = {100}, .end_lsn = {100}, .changes = {storage::Upsert{{4711}, {}, row}}}
    );
    f.client(explain(similar));
    answer_all(f);
    const std::string told = f.server(plan());
    CHECK(told.find("Rows of NULL or zero vectors come first") != std::string::npos);
}

}  // namespace veer::proxy::session
