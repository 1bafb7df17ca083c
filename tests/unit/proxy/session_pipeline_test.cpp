#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

// Several statements in one batch: veer's answers stand where Postgres' would (WIRE.md 3.2).

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

/// In a session that has prepared the search "k" and the statement "u", which Postgres answers.
struct Pipeline : F {
    Pipeline() {
        client(parse("k", "SELECT id FROM docs ORDER BY e <-> $1 LIMIT 2") + sync());
        server(bare('1') + ready());
        client(parse("u", "SELECT 1") + sync());
        server(bare('1') + ready());
    }

    void know_facts() {
        client(search_unit() + sync());
        answer_facts();
        to_client();
    }

    static std::string search_unit() { return bind("k", {"[7,0]"}) + execute(); }

    static std::string upstream_unit() { return bind("u", {}) + execute(); }

    static std::string upstream_reply() {
        return bare('2') + data_row({"1"}) + command_complete("SELECT 1");
    }
};

}  // namespace

TEST_CASE_METHOD(Pipeline, "a local answer comes between the replies of Postgres", "[proxy]") {
    know_facts();
    const std::string sent = client(upstream_unit() + search_unit() + upstream_unit() + sync());
    CHECK(sent == upstream_unit() + upstream_unit() + sync());
    CHECK(to_client().empty());
    CHECK(types(server(upstream_reply() + upstream_reply() + ready())) == "2DC2DDC2DCZ");
}

TEST_CASE_METHOD(Pipeline, "after an error local answers of the batch are dropped", "[proxy]") {
    know_facts();
    client(upstream_unit() + search_unit() + sync());
    CHECK(types(server(error("22012") + ready())) == "EZ");
}

TEST_CASE_METHOD(Pipeline, "a local answer stays when a later statement fails", "[proxy]") {
    know_facts();
    client(search_unit() + upstream_unit() + sync());
    CHECK(types(to_client()) == "2DDC");
    CHECK(types(server(error("22012") + ready())) == "EZ");
}

TEST_CASE_METHOD(Pipeline, "many searches in one batch need no server", "[proxy]") {
    know_facts();
    CHECK(client(search_unit() + search_unit() + search_unit() + sync()).empty());
    CHECK(types(to_client()) == "2DDC2DDC2DDCZ");
}

TEST_CASE_METHOD(Pipeline, "a client that asks and does not read is made to read", "[proxy]") {
    know_facts();
    constexpr std::size_t units = 20'000;
    std::string batch;
    for (std::size_t unit = 0; unit < units; ++unit) {
        batch += search_unit();
    }
    CHECK(client(batch + sync()).empty());
    CHECK(session.full());
    std::string answered = to_client();
    CHECK(answered.size() < 300'000);
    int rounds = 0;
    for (; session.full() && rounds < 100; ++rounds) {
        session.on_room(now, out);
        search();
        CHECK(out.to_client.size() < 300'000);
        answered += to_client();
    }
    CHECK(rounds > 2);
    std::string expected;
    for (std::size_t unit = 0; unit < units; ++unit) {
        expected += "2DDC";
    }
    CHECK(types(answered) == expected + "Z");
}

TEST_CASE_METHOD(Pipeline, "in the middle of a batch facts are asked for with Flush", "[proxy]") {
    CHECK(types(client(upstream_unit() + search_unit() + upstream_unit() + sync())) == "BECPBECCH");
    CHECK(types(server(upstream_reply())) == "2DC");
    CHECK(types(answer_flushed_facts()) == "2DDC");
    CHECK(to_server() == upstream_unit() + sync());
    CHECK(types(server(upstream_reply() + ready())) == "2DCZ");
}

TEST_CASE_METHOD(Pipeline, "a write in the batch makes the search see it in Postgres", "[proxy]") {
    know_facts();
    client(parse("w", "INSERT INTO docs VALUES (1)") + sync());
    server(bare('1') + ready());
    const std::string write = bind("w", {}) + execute();
    CHECK(types(client(write + search_unit() + sync())) == "BECPBECCH");
    CHECK(types(server(bare('2') + command_complete("INSERT 0 1"))) == "2C");
    CHECK(answer_flushed_facts({{6, "t"}}).empty());
    CHECK(to_server() == search_unit() + sync());
}

TEST_CASE_METHOD(Pipeline, "an earlier error ends the question in mid-batch", "[proxy]") {
    client(upstream_unit() + search_unit() + sync());
    CHECK(types(server(error("22012"))) == "E");
    CHECK(to_server() == search_unit() + sync());
    CHECK(types(server(ready())) == "Z");
    CHECK(session.at_rest());
}

TEST_CASE_METHOD(Pipeline, "a cancel that hits the question in mid-batch is the client's") {
    client(upstream_unit() + search_unit() + sync());
    CHECK(types(server(upstream_reply() + bare('3') + bare('1') + error("57014"))) == "2DCE");
    CHECK(to_server() == search_unit() + sync());
    CHECK(types(server(ready())) == "Z");
}

TEST_CASE_METHOD(Pipeline, "notices that veer's question gives rise to are not the client's") {
    const std::string notice("N\0\0\0\5\0", 6);
    client(upstream_unit() + search_unit() + sync());
    CHECK(types(server(notice + upstream_reply() + notice)) == "N2DC");
}

TEST_CASE_METHOD(Pipeline, "Flush brings out what veer has, and asks Postgres for the rest") {
    know_facts();
    CHECK(client(search_unit() + flush()).empty());
    CHECK(types(to_client()) == "2DDC");
    CHECK(client(upstream_unit() + flush()) == upstream_unit() + flush());
    CHECK(types(server(upstream_reply())) == "2DC");
    CHECK(client(sync()) == sync());
}

TEST_CASE_METHOD(Pipeline, "a Sync with bytes too many is for Postgres to refuse", "[proxy]") {
    know_facts();
    const std::string wrong("S\0\0\0\5x", 6);
    CHECK(client(search_unit() + wrong) == wrong);
}

TEST_CASE_METHOD(Pipeline, "rewriting in a batch with other statements is not tried", "[proxy]") {
    client(parse("s", "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 2") + sync());
    server(bare('1') + ready());
    know_facts();
    const std::string star = bind("s", {"[7,0]"}) + execute();
    CHECK(client(upstream_unit() + star + sync()) == upstream_unit() + star + sync());
}

TEST_CASE_METHOD(Pipeline, "a search waits for the ReadyForQuery of an earlier batch", "[proxy]") {
    know_facts();
    CHECK(client(upstream_unit() + sync() + search_unit() + sync()) == upstream_unit() + sync());
    CHECK(types(server(upstream_reply() + ready())) == "2DCZ2DDCZ");
}

}  // namespace veer::proxy::session
