#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

// Searches with conditions: keys are added until enough rows have come, or Postgres looks itself.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* filtered =
    "SELECT id FROM docs WHERE id > 0 OR e IS NULL ORDER BY e <-> '[7,0]' LIMIT 3";

std::string rows(int count) {
    std::string messages;
    for (int i = 0; i < count; ++i) {
        messages += F::data_row({std::to_string(i)});
    }
    return messages + F::command_complete("SELECT " + std::to_string(count));
}

/// Everything up to the rewritten statement; returns that.
std::string rewritten(F& f, const std::string& question) {
    f.client(question);
    f.answer_facts();
    return f.to_server();
}

std::size_t keys_in(const std::string& message) {
    const std::size_t begin = message.find('{');
    const std::size_t end = message.find('}');
    REQUIRE(end != std::string::npos);
    std::size_t keys = 1;
    for (const char c : message.substr(begin, end - begin)) {
        keys += c == ',' ? 1 : 0;
    }
    return keys;
}

std::string last_reason(F& f) {
    f.client(F::query("SHOW veer.last"));
    return f.to_client();
}

}  // namespace

TEST_CASE("a condition stays the client's own, beside the keys", "[proxy]") {
    F f;
    const std::string sent = rewritten(f, F::query(filtered));
    CHECK(F::types(sent) == "Q");
    CHECK(sent.find("WHERE(id > 0 OR e IS NULL ) AND \"docs\".\"id\"") != std::string::npos);
    CHECK(F::types(f.server(rows(3) + F::ready())) == "DDDCZ");
    CHECK(last_reason(f).find("rewrite") != std::string::npos);
}

TEST_CASE("too few rows are asked for again with more keys, unseen by the client", "[proxy]") {
    F f;
    const std::string first = rewritten(f, F::query(filtered));
    CHECK(keys_in(first) == 15);
    CHECK(f.server(rows(1) + F::ready()).empty());
    f.search();
    const std::string second = f.to_server();
    CHECK(F::types(second) == "Q");
    CHECK(keys_in(second) == 20);  // all that there are
    CHECK(F::types(f.server(rows(3) + F::ready())) == "DDDCZ");
}

TEST_CASE("where the index has no more rows, Postgres answers a short answer", "[proxy]") {
    F f;
    const std::string question = F::query(filtered);
    rewritten(f, question);
    f.server(rows(1) + F::ready());
    f.search();
    f.to_server();
    CHECK(f.server(rows(2) + F::ready()).empty());
    CHECK(f.to_server() == question);
    CHECK(F::types(f.server(rows(2) + F::ready())) == "DDCZ");
    CHECK(last_reason(f).find("short_answer") != std::string::npos);
}

TEST_CASE("a statement learns how many keys its condition needs", "[proxy]") {
    F f;
    const std::string question = F::query(filtered);
    const std::size_t first = keys_in(rewritten(f, question));
    f.server(rows(1) + F::ready());
    f.search();
    f.server(rows(3) + F::ready());
    f.to_server();
    CHECK(keys_in(f.client(question)) > first);
}

TEST_CASE("a prepared statement with a condition is filled up as well", "[proxy]") {
    F f;
    f.client(
        F::parse("s", "SELECT id FROM docs WHERE id <> $2 ORDER BY e <-> $1 LIMIT 3") + F::sync()
    );
    f.server(F::bare('1') + F::ready());
    f.client(F::bind("s", {"[7,0]", "7"}) + F::describe_portal() + F::execute() + F::sync());
    f.answer_facts();
    CHECK(F::types(f.to_server()) == "DCPBDECS");
    const std::string described = std::string("t\0\0\0\6\0\0", 7) + F::bare('n');
    const std::string reply = described + F::bare('3') + F::bare('1') + F::bare('2') + F::bare('n');
    CHECK(f.server(reply + rows(1) + F::bare('3') + F::ready()).empty());
    f.search();
    CHECK(F::types(f.to_server()) == "DCPBDECS");
    CHECK(F::types(f.server(reply + rows(3) + F::bare('3') + F::ready())) == "2nDDDCZ");
}

TEST_CASE("an error of the condition is found out with the statement as it came", "[proxy]") {
    F f;
    const std::string question =
        F::query("SELECT id FROM docs WHERE 1 / id > 0 ORDER BY e <-> '[7,0]' LIMIT 3");
    rewritten(f, question);
    CHECK(f.server(F::error("22012") + F::ready()).empty());
    CHECK(f.to_server() == question);
}

TEST_CASE("only what Postgres can answer, and veer could not, is veer's failure", "[proxy]") {
    F f;
    const auto fallbacks = [&] {
        return f.router.routes()->routes.front().traffic->fallbacks.load();
    };
    const std::string question =
        F::query("SELECT id FROM docs WHERE 1 / id > 0 ORDER BY e <-> '[7,0]' LIMIT 3");
    rewritten(f, question);
    f.server(F::error("22012") + F::ready());
    CHECK(F::types(f.server(F::error("22012") + F::ready())) == "EZ");
    CHECK(fallbacks() == 0);

    rewritten(f, question);
    f.server(F::error("22012") + F::ready());
    CHECK(fallbacks() == 0);
    CHECK(F::types(f.server(rows(3) + F::ready())) == "DDDCZ");
    CHECK(fallbacks() == 1);
}

TEST_CASE("a condition that may fail passes inside a transaction", "[proxy]") {
    F f;
    f.client(F::query("BEGIN"));
    f.server(F::command_complete("BEGIN") + F::ready('T'));
    const std::string question =
        F::query("SELECT id FROM docs WHERE 1 / id > 0 ORDER BY e <-> '[7,0]' LIMIT 3");
    f.client(question);
    f.answer_flushed_facts();
    f.server(F::ready('T'));
    CHECK(f.to_server() == question);
    CHECK(F::types(f.server(rows(3) + F::ready('T'))) == "DDDCZ");
    CHECK(last_reason(f).find("may_raise") != std::string::npos);
}

TEST_CASE("an answer too long to be held back is asked for as it came", "[proxy]") {
    F f;
    const std::string question = F::query(filtered);
    rewritten(f, question);
    const std::string long_row = F::data_row({std::string(3U << 20U, 'x')});
    CHECK(f.server(long_row + long_row + long_row).empty());
    CHECK(f.server(F::command_complete("SELECT 3") + F::ready()).empty());
    CHECK(f.to_server() == question);
}

TEST_CASE("a row too long to be held back is dropped with the rest", "[proxy]") {
    F f;
    const std::string question = F::query(filtered);
    rewritten(f, question);
    const std::string long_row = F::data_row({std::string(5U << 20U, 'x')});
    for (std::size_t at = 0; at < long_row.size(); at += 1U << 20U) {
        CHECK(f.server(long_row.substr(at, 1U << 20U)).empty());
    }
    CHECK(f.server(F::command_complete("SELECT 1") + F::ready()).empty());
    CHECK(f.to_server() == question);
}

TEST_CASE("a search inside another statement is counted before that is run", "[proxy]") {
    F f;
    const std::string question =
        F::query("SELECT count(*) FROM (SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3) s");
    const std::string count = rewritten(f, question);
    CHECK(F::types(count) == "Q");
    CHECK(count.find("SELECT pg_catalog.count(*) FROM (SELECT id FROM docs WHERE ") != count.npos);
    CHECK(f.server(F::data_row({"3"}) + F::command_complete("SELECT 1") + F::ready()).empty());
    const std::string whole = f.to_server();
    CHECK(whole.find("SELECT count(*) FROM (SELECT id FROM docs WHERE \"docs\"") != whole.npos);
    CHECK(F::types(f.server(rows(1) + F::ready())) == "DCZ");
    CHECK(last_reason(f).find("rewrite") != std::string::npos);
}

TEST_CASE("a search that counts too few is filled up, then given to Postgres", "[proxy]") {
    F f;
    const std::string question = F::query(
        "WITH s AS (SELECT id FROM docs WHERE id > 5 ORDER BY e <-> '[7,0]' LIMIT 3) SELECT * FROM "
        "s"
    );
    const auto counted = [](const std::string& count) {
        return F::data_row({count}) + F::command_complete("SELECT 1") + F::ready();
    };
    const std::size_t first = keys_in(rewritten(f, question));
    CHECK(f.server(counted("1")).empty());
    CHECK(keys_in(f.to_server()) > first);
    CHECK(f.server(counted("2")).empty());
    CHECK(f.to_server() == question);
}

TEST_CASE("a prepared search inside another statement is counted as well", "[proxy]") {
    F f;
    f.client(
        F::parse(
            "s",
            "SELECT $2::text FROM (SELECT id FROM docs ORDER BY e <-> $1 LIMIT 3) s WHERE id > 0"
        ) +
        F::sync()
    );
    f.server(F::bare('1') + F::ready());
    f.client(F::bind("s", {"[7,0]", "x"}) + F::describe_portal() + F::execute() + F::sync());
    f.answer_facts();
    const std::string count = f.to_server();
    CHECK(F::types(count) == "CPBECCS");
    CHECK(count.find("WHERE ($2::pg_catalog.text IS NULL OR true)") != count.npos);
    const std::string answer = F::bare('3') + F::bare('1') + F::bare('2') + F::data_row({"3"}) +
                               F::command_complete("SELECT 1") + F::bare('3') + F::bare('3');
    CHECK(f.server(answer + F::ready()).empty());
    CHECK(F::types(f.to_server()) == "DCPBDECS");
    const std::string described = std::string("t\0\0\0\6\0\0", 7) + F::bare('n');
    const std::string reply = described + F::bare('3') + F::bare('1') + F::bare('2') + F::bare('n');
    CHECK(F::types(f.server(reply + rows(3) + F::bare('3') + F::ready())) == "2nDDDCZ");
}

TEST_CASE("a prepared statement that Postgres refuses by now is given to it", "[proxy]") {
    F f;
    f.client(F::parse("s", "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 3") + F::sync());
    f.server(F::bare('1') + F::ready());
    f.client(F::bind("s", {"[7,0]"}) + F::describe_portal() + F::execute() + F::sync());
    f.answer_facts();
    CHECK(F::types(f.to_server()) == "DCPBDECS");
    // "cached plan must not change result type", of the Describe
    CHECK(f.server(F::error("0A000") + F::ready()).empty());
    CHECK(F::types(f.to_server()) == "BDES");
}

TEST_CASE("a parameter of no type, in a search and around it, leaves both to Postgres", "[proxy]") {
    F f;
    f.client(
        F::parse(
            "s",
            "SELECT $1 FROM (SELECT id FROM docs WHERE id <> $1 ORDER BY e <-> '[7,0]' LIMIT 3) s "
            "WHERE id > 0"
        ) +
        F::sync()
    );
    f.server(F::bare('1') + F::ready());
    f.client(F::bind("s", {"7"}) + F::describe_portal() + F::execute() + F::sync());
    f.answer_facts();
    CHECK(F::types(f.to_server()) == "BDES");
}

TEST_CASE("a count that fails gives the statement to Postgres", "[proxy]") {
    F f;
    const std::string question =
        F::query("SELECT * FROM (SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3) s");
    rewritten(f, question);
    CHECK(f.server(F::error("XX000") + F::ready()).empty());
    CHECK(f.to_server() == question);
}

TEST_CASE("what is joined has to be a table", "[proxy]") {
    F f;
    const std::string question = F::query(
        "SELECT docs.id FROM docs JOIN tags ON tags.id = docs.id ORDER BY docs.e <-> '[7,0]' LIMIT "
        "3"
    );
    const std::string facts = f.client(question);
    CHECK(facts.find("r.relname OPERATOR(pg_catalog.=) E'tags'") != facts.npos);
    f.answer_facts();
    CHECK(f.to_server().find("ON tags.id = docs.id WHERE \"docs\".\"id\"") != std::string::npos);
    f.server(rows(3) + F::ready());
    // Facts of a statement without joins do not say that.
    CHECK(F::types(f.client(F::query(filtered))) == "CPBECCS");
}

TEST_CASE("what is joined is looked up by name, which raises no error", "[proxy]") {
    F f;
    const std::string facts = f.client(F::query(
        "SELECT docs.id FROM docs JOIN secret.t ON t.id = docs.id ORDER BY docs.e <-> '[7,0]' "
        "LIMIT 3"
    ));
    // to_regclass() does where the schema may not be used.
    CHECK(facts.find("s.nspname OPERATOR(pg_catalog.=) E'secret'") != std::string::npos);
    CHECK(facts.find("to_regclass") == std::string::npos);
}

}  // namespace veer::proxy::session
