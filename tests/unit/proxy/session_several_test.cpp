#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

// A search for each of several vectors: each has keys of its own, and LIMIT rows.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

std::string searches(const std::string& condition) {
    return F::query(
        "SELECT q.n, r.id FROM (VALUES (1, '[7,0]'::vector), (2, '[15,0]')) AS q (n, v) CROSS JOIN "
        "LATERAL (SELECT id FROM docs" +
        condition + " ORDER BY e <-> q.v LIMIT 2) r"
    );
}

std::string rows(int count) {
    std::string messages;
    for (int i = 0; i < count; ++i) {
        messages += F::data_row({"1", std::to_string(i)});
    }
    return messages + F::command_complete("SELECT " + std::to_string(count));
}

std::string rewritten(F& f, const std::string& question) {
    f.client(question);
    f.answer_facts();
    return f.to_server();
}

std::string last_reason(F& f) {
    f.client(F::query("SHOW veer.last"));
    return f.to_client();
}

}  // namespace

TEST_CASE("each of several vectors is given its own keys", "[proxy]") {
    F f;
    const std::string sent = rewritten(f, searches(""));
    CHECK(F::types(sent) == "Q");
    const std::size_t first = sent.find(
        "CASE WHEN \"q\".\"v\" OPERATOR(\"public\".=) '[7,0]'::\"public\".\"vector\" "
        "THEN '{\"7\","
    );
    const std::size_t second = sent.find(
        "WHEN \"q\".\"v\" OPERATOR(\"public\".=) '[15,0]'::\"public\".\"vector\" "
        "THEN '{\"15\","
    );
    REQUIRE(first != std::string::npos);
    REQUIRE(second != std::string::npos);
    CHECK(first < second);
    CHECK(sent.substr(first, second - first).find("\"15\"") == std::string::npos);
    CHECK(F::types(f.server(rows(4) + F::ready())) == "DDDDCZ");
    CHECK(last_reason(f).find("rewrite") != std::string::npos);
}

TEST_CASE("the answer is complete with LIMIT rows of each vector", "[proxy]") {
    F f;
    const std::string question = searches(" WHERE id > 0 OR e IS NULL");
    const std::string first = rewritten(f, question);
    CHECK(f.server(rows(3) + F::ready()).empty());  // more than LIMIT, and yet one of them is short
    f.search();
    const std::string second = f.to_server();
    CHECK(F::types(second) == "Q");
    CHECK(second.size() > first.size());
    CHECK(F::types(f.server(rows(4) + F::ready())) == "DDDDCZ");
}

TEST_CASE("of what falls short for one of several vectors, Postgres gives all", "[proxy]") {
    F f;
    const std::string question = searches("");
    rewritten(f, question);
    CHECK(f.server(rows(3) + F::ready()).empty());
    CHECK(f.to_server() == question);
    CHECK(F::types(f.server(rows(3) + F::ready())) == "DDDCZ");
    CHECK(last_reason(f).find("short_answer") != std::string::npos);
}

TEST_CASE("a search for too many vectors is Postgres'", "[proxy]") {
    F f;
    std::string values = "('[1,0]'::vector)";
    for (int i = 0; i < 32; ++i) {
        values += ", ('[2,0]')";
    }
    const std::string question = F::query(
        "SELECT r.id FROM (VALUES " + values +
        ") AS q (v), LATERAL (SELECT id FROM docs ORDER BY e <-> q.v LIMIT 1) r"
    );
    CHECK(f.client(question) == question);
    f.server(rows(33) + F::ready());
    CHECK(last_reason(f).find("several_vectors") != std::string::npos);
}

}  // namespace veer::proxy::session
