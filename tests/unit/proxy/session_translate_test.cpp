#include "proxy/wire/backend.hpp"
#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

// veer.search(), and what is said of it where nobody can say whether Postgres has it, too.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* call = "SELECT id FROM veer.search('docs', '[7,0]', 3)";
constexpr const char* question = "CPBECCS";

/// The question for names, as one field answers it; "" is neither.
std::string names(std::string_view field = "") {
    return F::bare('3') + F::bare('1') + F::bare('2') +
           F::data_row({std::string(field), "{pg_catalog,public}"}) +
           F::command_complete("SELECT 1") + F::bare('3') + F::bare('3') + F::ready();
}

std::string failed(std::string_view sqlstate, char status = 'I') {
    return F::bare('3') + F::error(sqlstate) + F::ready(status);
}

void begin(F& f) {
    f.client(F::query("BEGIN"));
    f.server(F::command_complete("BEGIN") + F::ready('T'));
}

/// The SQLSTATE and message of the first frame, which is an ErrorResponse.
std::string told(wire::Bytes bytes) {
    wire::FrameHeader header;
    if (wire::peek_header(bytes, header) != wire::FrameStatus::ok || header.type != 'E') {
        return "none";
    }
    const auto read = wire::decode_diagnostics(wire::frame_at(bytes, header).payload);
    return read.sqlstate + ' ' + read.message;
}

/// What the client is told where Postgres answers a call that reaches it as it came with this.
std::string answered(F& f, const std::string& sql, std::string_view sqlstate) {
    CHECK(f.to_server() == F::query(sql));
    return told(f.server(F::error(sqlstate) + F::ready()));
}

}  // namespace

TEST_CASE("a call is answered as the SELECT that it stands for", "[proxy]") {
    F f;
    CHECK(F::types(f.client(F::query(call))) == question);
    CHECK(f.server(names()).empty());
    CHECK(F::types(f.to_server()) == question);  // for the facts
    CHECK(F::types(f.answer_facts()) == "TDDDCZ");
}

TEST_CASE("a question that was canceled is asked again, in a transaction, too", "[proxy]") {
    F f;
    f.client(F::query(call));
    CHECK(told(f.server(failed("57014"))).starts_with("57014"));
    CHECK(f.to_server().empty());
    begin(f);
    CHECK(F::types(f.client(F::query(call))) == question);
    // And so is that for the facts.
    F g;
    g.client(F::query("SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"));
    CHECK(told(g.server(failed("55P03"))).starts_with("55P03"));
    begin(g);
    CHECK(F::types(g.client(F::query(call))) == question);
}

TEST_CASE("where names cannot be asked for the client is told so", "[proxy]") {
    F f;
    f.client(F::query(call));
    f.server(failed("42501"));
    CHECK(answered(f, call, "3F000").starts_with("55000 veer could not ask"));
    begin(f);
    CHECK(f.client(F::query(call)) == F::query(call));
    CHECK(told(f.server(F::error("42883") + F::ready('E'))).starts_with("55000"));
    // Postgres may have it, and then another complaint.
    F g;
    g.client(F::query(call));
    g.server(failed("42501"));
    CHECK(answered(g, call, "22P02").starts_with("22P02"));
}

TEST_CASE("a Parse whose question was canceled is canceled", "[proxy]") {
    for (const char status : {'I', 'T'}) {
        F f;
        if (status == 'T') {
            begin(f);
        }
        const std::string parse = F::parse("", call);
        CHECK(F::types(f.client(parse + F::describe('S', "") + F::sync())) == question);
        CHECK(f.server(failed("57014", status == 'T' ? 'E' : 'I')).empty());
        CHECK(f.to_server().starts_with(parse));
        const std::string said = f.server(
            F::error(status == 'T' ? "25P02" : "3F000") + F::ready(status == 'T' ? 'E' : 'I')
        );
        CHECK(told(said).starts_with("57014"));
        CHECK(F::types(said) == "EZ");
    }
}

TEST_CASE("of several statements in one Query only the call is complained of", "[proxy]") {
    const std::string both = std::string("BEGIN; ") + call;
    for (const std::string_view sqlstate : {"3F000", "42P01"}) {
        F f;
        CHECK(F::types(f.client(F::query(both))) == question);
        f.server(names());
        const std::string said = answered(f, both, sqlstate);
        CHECK(said.starts_with(sqlstate == "3F000" ? "0A000 veer.search() is one" : "42P01"));
    }
}

TEST_CASE("a filter is not read in an encoding that is not understood", "[proxy]") {
    const std::string filtered =
        R"(SELECT id FROM veer.search('docs', '[7,0]', filter => '{"kind": "\u00e9"}'))";
    F f;
    std::string latin;
    wire::MessageWriter(latin, 'S').text("client_encoding").text("LATIN1");
    f.server(latin);
    f.client(F::query(filtered));
    f.server(names());
    CHECK(answered(f, filtered, "3F000").starts_with("0A000 the filter"));
}

}  // namespace veer::proxy::session
