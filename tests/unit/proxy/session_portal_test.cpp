#include "proxy/wire/frontend.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

// Portals whose rows veer has: row limits, names, and their end (WIRE.md 3.3, 16 to 19).

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

/// In a transaction block, with the search "k" for three rows prepared and the facts known.
struct InTransaction : F {
    InTransaction() {
        client(query("BEGIN"));
        server(command_complete("BEGIN") + ready('T'));
        client(parse("k", "SELECT id FROM docs ORDER BY e <-> $1 LIMIT 3") + sync());
        server(bare('1') + ready('T'));
        client(search() + execute() + sync());
        const std::string answer = answer_facts_in('T');
        REQUIRE(types(answer) == "2DDDCZ");
    }

    std::string answer_facts_in(char status) {
        const std::string answer = answer_flushed_facts();
        return answer + server(ready(status));
    }

    /// What Postgres says to a portal that it is given, before rows are skipped in it.
    static std::string opened() { return bare('3') + bare('1') + bare('2') + bare('3'); }

    /// The first Bind of these messages; its views point into them.
    static wire::Bind bind_of(std::string_view messages) {
        wire::FrameHeader header;
        while (wire::peek_header(messages, header) == wire::FrameStatus::ok) {
            if (header.type == 'B') {
                return wire::decode_bind(wire::frame_at(messages, header).payload).value();
            }
            messages.remove_prefix(header.whole_bytes);
        }
        return {};
    }

    static std::string search(std::string_view portal = "") { return bind("k", {"[7,0]"}, portal); }
};

}  // namespace

TEST_CASE_METHOD(InTransaction, "rows are fetched as the client asks for them", "[proxy]") {
    CHECK(client(search() + execute(2) + sync()).empty());
    CHECK(types(to_client()) == "2DDsZ");
    CHECK(client(execute(2) + sync()).empty());
    const std::string rest = to_client();
    CHECK(types(rest) == "DCZ");
    CHECK(rest.find("SELECT 1") != std::string::npos);
    client(execute() + sync());
    CHECK(to_client().find("SELECT 0") != std::string::npos);
}

TEST_CASE_METHOD(InTransaction, "as many rows as there are suspend the portal as well", "[proxy]") {
    client(search() + execute(3) + sync());
    CHECK(types(to_client()) == "2DDDsZ");
}

TEST_CASE_METHOD(InTransaction, "Bind, Describe and Flush come before the first Execute") {
    CHECK(client(search("c") + describe('P', "c") + flush()).empty());
    CHECK(types(to_client()) == "2T");
    CHECK(client(execute(1, "c") + flush()).empty());
    CHECK(types(to_client()) == "Ds");
    CHECK(client(close('P', "c") + sync()).empty());
    CHECK(types(to_client()) == "3Z");
    const std::string gone = execute(1, "c") + sync();
    CHECK(client(gone) == gone);
}

TEST_CASE("a portal lives on where its batch began the transaction", "[proxy]") {
    F f;
    f.client(
        F::parse("b", "BEGIN") + F::parse("k", "SELECT id FROM docs ORDER BY e <-> $1 LIMIT 3") +
        F::sync()
    );
    f.server(F::bare('1') + F::bare('1') + F::ready());
    f.client(
        F::bind("b", {}) + F::execute() + F::bind("k", {"[7,0]"}, "c") + F::execute(1, "c") +
        F::sync()
    );
    f.server(F::bare('2') + F::command_complete("BEGIN"));
    CHECK(F::types(f.answer_flushed_facts()) == "2Ds");
    CHECK(f.to_server() == F::sync());
    CHECK(F::types(f.server(F::ready('T'))) == "Z");
    CHECK(f.client(F::execute(1, "c") + F::sync()).empty());
    CHECK(F::types(f.to_client()) == "DsZ");
}

TEST_CASE("SHOW veer.last follows another Parse of the same name in its batch", "[proxy]") {
    F f;
    const std::string begin = F::parse("", "BEGIN") + F::bind("", {}) + F::execute();
    CHECK(
        f.client(
            begin + F::parse("", "SHOW veer.last") + F::bind("", {}) + F::execute() + F::sync()
        ) == begin + F::sync()
    );
    CHECK(
        F::types(
            f.server(F::bare('1') + F::bare('2') + F::command_complete("BEGIN") + F::ready('T'))
        ) == "12C12DCZ"
    );
}

TEST_CASE_METHOD(InTransaction, "opening a portal twice is refused by Postgres", "[proxy]") {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    const std::string sent = client(search("c") + sync());
    CHECK(types(sent) == "CPBCBS");
    CHECK(types(server(bare('3') + bare('1') + bare('2') + bare('3'))).empty());
    CHECK(types(server(error("42P03") + ready('E'))) == "EZ");
}

TEST_CASE_METHOD(InTransaction, "in a failed transaction Postgres refuses the portal", "[proxy]") {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    client(query("SELECT 1/0"));
    server(error("22012") + ready('E'));
    CHECK(types(client(execute(1, "c") + sync())) == "CPBCES");
    CHECK(types(server(bare('3') + error("25P02") + ready('E'))) == "EZ");
    CHECK(types(client(describe('P', "c") + sync())) == "CPBCDS");
    CHECK(types(server(bare('3') + error("25P02") + ready('E'))) == "EZ");
}

TEST_CASE_METHOD(InTransaction, "the end of the transaction ends its portals", "[proxy]") {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    client(query("COMMIT"));
    server(command_complete("COMMIT") + ready());
    const std::string gone = execute(1, "c") + sync();
    CHECK(client(gone) == gone);
}

TEST_CASE_METHOD(InTransaction, "SQL that names a portal finds its very rows in Postgres") {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    const std::string fetch = query("FETCH 1 FROM c");
    const std::string opening = client(fetch);
    CHECK(types(opening) == "CPBCES");
    CHECK(
        opening.find("SELECT * FROM (VALUES ($1), ($2), ($3)) AS v (\"id\") LIMIT 3") !=
        opening.npos
    );
    auto bound = bind_of(opening);
    CHECK(bound.portal == "c");
    REQUIRE(bound.parameters.size() == 3);
    CHECK(bound.parameters.front().value() == "7");
    std::sort(bound.parameters.begin(), bound.parameters.end());
    CHECK(bound.parameters == std::vector<std::optional<wire::Bytes>>{"6", "7", "8"});
    CHECK(bound.result_formats == std::vector<std::int16_t>{0});
    CHECK(server(opened() + data_row({"7"}) + bare('s') + ready('T')).empty());
    CHECK(to_server() == fetch);
    CHECK(types(server(data_row({"6"}) + command_complete("FETCH 1") + ready('T'))) == "DCZ");
    const std::string next = execute(1, "c") + sync();
    CHECK(client(next) == next);
}

TEST_CASE("a text that only looks like one of cursors leaves portals be", "[proxy]") {
    for (const std::string_view text :
         {"UPDATE jobs SET fetched_at = now(), closed = true",
          "SELECT 1 FROM moves FETCH FIRST 3 ROWS ONLY",
          "INSERT INTO prices (open, close) VALUES (1, 2)"}) {
        InTransaction f;
        f.client(F::bind("k", {"[7,0]"}, "c") + F::execute(1, "c") + F::sync());
        f.to_client();
        CHECK(f.client(F::query(text)) == F::query(text));
        f.server(F::command_complete("SELECT 1") + F::ready('T'));
        CHECK(f.client(F::execute(1, "c") + F::sync()).empty());
        CHECK(F::types(f.to_client()) == "DsZ");
    }
}

TEST_CASE_METHOD(InTransaction, "what keeps portals from being opened is the answer to its Query") {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    client(query("COMMIT -- c"));
    CHECK(server(bare('3') + error("57014")).empty());
    CHECK(types(server(ready('E'))) == "EZ");
    CHECK(to_server().empty());
    CHECK(client(query("COMMIT -- c")) == query("COMMIT -- c"));
}

TEST_CASE_METHOD(InTransaction, "or to its Parse, in whose batch they are opened") {
    client(search("c") + execute(2, "c") + sync());
    client(search() + execute(1) + sync());
    to_client();
    CHECK(types(client(parse("f", "FETCH 1 FROM c") + sync())) == "CPBCEPS");
    CHECK(types(server(bare('3') + error("57014") + ready('E'))) == "EZ");
    client(query("ROLLBACK"));
    server(command_complete("ROLLBACK") + ready());
}

TEST_CASE_METHOD(InTransaction, "only the portal that SQL names is given away") {
    client(search("c") + execute(2, "c") + sync());
    client(search("d") + execute(2, "d") + sync());
    client(search() + execute(1) + sync());
    to_client();
    CHECK(types(client(parse("", "FETCH 1 FROM c") + sync())) == "CPBCEPS");
    server(opened() + data_row({"7"}) + data_row({"6"}) + bare('s') + bare('1') + ready('T'));
    for (const std::string_view portal : {"", "d"}) {
        CHECK(client(execute(1, portal) + sync()).empty());
        CHECK(types(to_client()) == "DsZ");
    }
}

TEST_CASE_METHOD(InTransaction, "CLOSE ALL is about each, AND CHAIN ends each") {
    for (const std::string_view text :
         {"CLOSE ALL", "ROLLBACK AND CHAIN", "SET extra_float_digits = 0"}) {
        client(query("BEGIN"));
        server(command_complete("BEGIN") + ready('I'));  // no portal of the last time is left
        client(query("BEGIN"));
        server(command_complete("BEGIN") + ready('T'));
        client(search("c") + execute(1, "c") + sync());
        answer_facts_in('T');
        to_client();
        CHECK(types(client(query(text))) == "CPBCES");
        server(opened() + data_row({"7"}) + bare('s') + ready('T'));
        CHECK(to_server() == query(text));
        server(command_complete("ROLLBACK") + ready('T'));
        CHECK(client(execute(1, "c") + sync()) == execute(1, "c") + sync());
        server(error("34000") + ready('E'));
    }
}

TEST_CASE_METHOD(InTransaction, "a portal is given away before a savepoint, which it outlives") {
    client(query("SAVEPOINT a"));
    server(command_complete("SAVEPOINT") + ready('T'));
    client(search("c") + execute(1, "c") + sync());
    answer_facts_in('T');
    to_client();
    CHECK(types(client(query("SAVEPOINT b"))) == "CPBCES");
    CHECK(server(opened() + data_row({"7"}) + bare('s') + ready('T')).empty());
    CHECK(to_server() == query("SAVEPOINT b"));
}

TEST_CASE_METHOD(
    InTransaction, "a ROLLBACK ends the portals that veer has, whatever it goes back to"
) {
    client(query("SAVEPOINT a"));
    server(command_complete("SAVEPOINT") + ready('T'));
    client(search("c") + execute(1, "c") + sync());
    answer_facts_in('T');
    to_client();
    client(parse("end", "ROLLBACK") + sync());
    server(bare('1') + ready('T'));
    to_client();
    const std::string end = bind("end", {}) + execute();
    CHECK(client(end + execute(1, "c") + sync()) == end + flush());
    CHECK(types(server(bare('2') + command_complete("ROLLBACK"))) == "2C");
    CHECK(to_server() == execute(1, "c") + sync());
}

TEST_CASE_METHOD(InTransaction, "what may end a portal in the same batch is waited for") {
    client(search("c") + execute(1, "c") + sync());
    client(parse("end", "COMMIT") + sync());
    server(bare('1') + ready('T'));
    to_client();
    const std::string end = bind("end", {}) + execute();
    CHECK(client(end + execute(1, "c") + sync()) == end + flush());
    CHECK(to_client().empty());
    CHECK(types(server(bare('2') + command_complete("COMMIT"))) == "2C");
    CHECK(to_server() == execute(1, "c") + sync());
}

TEST_CASE_METHOD(InTransaction, "a name that is free again by then is not refused") {
    client(search("c") + execute(1, "c") + sync());
    client(parse("end", "COMMIT") + sync());
    server(bare('1') + ready('T'));
    const std::string end = bind("end", {}) + execute();
    const std::string again = bind("insert", {"x"}, "c") + sync();
    CHECK(client(end + again) == end + flush());
    server(bare('2') + command_complete("COMMIT"));
    CHECK(to_server() == again);
}

TEST_CASE_METHOD(InTransaction, "a simple Query ends the unnamed portal, wherever it is answered") {
    const std::string upstream = parse("", "SELECT 1") + bind("", {}) + sync();
    client(upstream);
    server(bare('1') + bare('2') + ready('T'));
    client(query("SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"));
    CHECK(types(to_client()) == "TDDDCZ");
    CHECK(types(client(execute() + sync())) == "CES");
    CHECK(types(server(bare('3') + error("34000") + ready('E'))) == "EZ");
}

TEST_CASE_METHOD(InTransaction, "a search under keys replaces the unnamed portal") {
    client(parse("r", "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 3") + sync());
    server(bare('1') + ready('T'));
    client(search() + execute(1) + sync());
    to_client();
    CHECK(types(client(bind("r", {"[7,0]"}) + execute() + sync())) == "DCPBECS");
    server(
        std::string("n\0\0\0\4", 5) + bare('3') + bare('1') + bare('2') + data_row({"7"}) +
        data_row({"6"}) + data_row({"8"}) + command_complete("SELECT 3") + bare('3') + ready('T')
    );
    CHECK(client(execute() + sync()) == execute() + sync());
}

TEST_CASE_METHOD(InTransaction, "a portal that the client believes gone does not stay open") {
    client(parse("", "SELECT 1") + bind("", {}) + sync());
    server(bare('1') + bare('2') + ready('T'));
    client(query("SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"));
    to_client();
    CHECK(types(client(bind("other", {}, "p") + sync())) == "CBS");
    CHECK(types(server(bare('3') + bare('2') + ready('T'))) == "2Z");
}

namespace {

const std::string long_value(std::size_t{2} << 20U, 'x');

}  // namespace

TEST_CASE_METHOD(InTransaction, "a message too long to be looked at takes no portal but its own") {
    client(search("c") + execute(1, "c") + sync());
    client(search() + execute(1) + sync());
    to_client();
    const std::string insert = bind("insert", {long_value}, "p") + sync();
    CHECK(client(insert) == insert);
    server(bare('2') + ready('T'));
    for (const std::string_view portal : {"", "c"}) {
        CHECK(client(execute(1, portal) + sync()).empty());
        CHECK(types(to_client()) == "DsZ");
    }
    const std::string unnamed = bind("insert", {long_value}) + sync();
    CHECK(client(unnamed) == unnamed);
    server(bare('2') + ready('T'));
    CHECK(client(execute(1) + sync()) == execute(1) + sync());
    server(bare('s') + ready('T'));
    CHECK(types(client(bind("insert", {long_value}, "c") + sync())) == "CPBCBS");
    CHECK(types(server(opened() + error("42P03") + ready('E'))) == "EZ");
}

TEST_CASE_METHOD(InTransaction, "a text too long to be looked at may be about each portal") {
    client(search("c") + execute(1, "c") + sync());
    client(search("d") + execute(1, "d") + sync());
    to_client();
    const std::string text = query("SELECT '" + long_value + "'");
    CHECK(types(client(text)) == "CPBCECPBCES");
    const std::string skipped = opened() + data_row({"7"}) + bare('s');
    CHECK(server(skipped + skipped + ready('T')).empty());
    CHECK(to_server() == text);
}

TEST_CASE_METHOD(InTransaction, "a long Bind finds the unnamed statement that veer has parsed") {
    const std::string known = parse("", "SELECT id FROM docs ORDER BY e <-> $1 LIMIT 3");
    CHECK(client(known + sync()).empty());
    const std::string bound = bind("", {"[7,0" + std::string(1U << 20U, ' ') + "]"}) + sync();
    CHECK(client(bound) == known + bound);
}

}  // namespace veer::proxy::session
