#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

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
    CHECK(types(sent) == "CPBEBS");
    CHECK(types(server(bare('3') + bare('1') + bare('2') + data_row({"7"}) + bare('s'))).empty());
    CHECK(types(server(error("42P03") + ready('E'))) == "EZ");
}

TEST_CASE_METHOD(InTransaction, "in a failed transaction Postgres refuses the portal", "[proxy]") {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    client(query("SELECT 1/0"));
    server(error("22012") + ready('E'));
    CHECK(types(client(execute(1, "c") + sync())) == "CPBEES");
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

TEST_CASE_METHOD(InTransaction, "SQL that names cursors finds the portal in Postgres", "[proxy]") {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    const std::string fetch = query("FETCH 1 FROM c");
    CHECK(types(client(fetch)) == "CPBESQ");
    CHECK(
        server(bare('3') + bare('1') + bare('2') + data_row({"7"}) + bare('s') + ready('T')).empty()
    );
    CHECK(types(server(data_row({"6"}) + command_complete("FETCH 1") + ready('T'))) == "DCZ");
}

TEST_CASE_METHOD(
    InTransaction,
    "a savepoint finds the portals in Postgres, and those after it end with it",
    "[proxy]"
) {
    client(search("c") + execute(1, "c") + sync());
    to_client();
    CHECK(types(client(query("SAVEPOINT s"))) == "CPBESQ");
    const std::string opened = bare('3') + bare('1') + bare('2') + data_row({"7"}) + bare('s');
    CHECK(server(opened + ready('T')).empty());
    CHECK(types(server(command_complete("SAVEPOINT") + ready('T'))) == "CZ");
    CHECK(client(query("ROLLBACK TO s")) == query("ROLLBACK TO s"));
    CHECK(types(server(command_complete("ROLLBACK") + ready('T'))) == "CZ");
    const std::string next = execute(1, "c") + sync();
    CHECK(client(next) == next);
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

}  // namespace veer::proxy::session
