#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/sample_copy.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

// Query vectors that stand in a row, orders by similarity, and tie-breakers.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* similar =
    "SELECT id FROM docs WHERE id > 0 ORDER BY e <-> (SELECT e FROM docs WHERE id = 7) LIMIT 3";

std::string answer_vector(F& f, const std::vector<std::string>& row) {
    return f.server(
        F::bare('3') + F::bare('1') + F::bare('2') + F::data_row(row) +
        F::command_complete("SELECT 1") + F::bare('3') + F::bare('3') + F::ready()
    );
}

std::string last(F& f) {
    f.client(F::query("SHOW veer.last"));
    return f.to_client();
}

void opt_in(F& f) {
    config::Route route;
    route.column = {"public", "docs", "e"};
    route.operator_name = "<->";
    route.percent = 100;
    route.order_by_similarity = true;
    route.tie_breakers = true;
    f.config.routes.push_back(route);
    f.router.configure(f.config);
}

}  // namespace

TEST_CASE("a vector in a row is asked for after the facts", "[proxy]") {
    F f;
    f.client(F::query(similar));
    CHECK(f.answer_facts().empty());
    const std::string question = f.to_server();
    CHECK(F::types(question) == "CPBECCS");
    CHECK(question.find("(SELECT (SELECT e FROM docs WHERE id = 7) AS v") != std::string::npos);
    CHECK(answer_vector(f, {"[7,0]", "16385", "0/64"}).empty());
    f.search();
    const std::string sent = f.to_server();
    CHECK(F::types(sent) == "Q");
    CHECK(sent.find("ARRAY") == std::string::npos);
    CHECK(sent.find("\"7\",") != std::string::npos);
    CHECK(sent.find("<-> (SELECT e FROM docs WHERE id = 7) LIMIT 3") != std::string::npos);
}

TEST_CASE("a vector that is not there leaves the search to Postgres", "[proxy]") {
    F f;
    f.client(F::query(similar));
    f.answer_facts();
    f.to_server();
    f.server(
        F::bare('3') + F::bare('1') + F::bare('2') + F::command_complete("SELECT 0") +
        F::bare('3') + F::bare('3') + F::ready()
    );
    CHECK(f.to_server() == F::query(similar));
    CHECK(F::types(f.server(F::command_complete("SELECT 0") + F::ready())) == "CZ");
    CHECK(last(f).find("vector_value") != std::string::npos);
}

TEST_CASE("a sub-select that fails alone is not asked for again", "[proxy]") {
    F f;
    f.client(F::query(similar));
    f.answer_facts();
    f.to_server();
    CHECK(f.server(F::bare('3') + F::error("42703") + F::ready()).empty());
    CHECK(f.to_server() == F::query(similar));
    f.server(F::command_complete("SELECT 0") + F::ready());
    CHECK(f.client(F::query(similar)) == F::query(similar));
    f.server(F::command_complete("SELECT 0") + F::ready());
    CHECK(last(f).find("query_vector") != std::string::npos);
}

TEST_CASE("nor is it for a while, and only by the session that it has failed in", "[proxy]") {
    F f;
    f.client(F::query(similar));
    f.answer_facts();
    f.to_server();
    f.server(F::bare('3') + F::error("42703") + F::ready());
    f.server(F::command_complete("SELECT 0") + F::ready());
    f.to_server();
    CHECK(f.client(F::query(similar)) == F::query(similar));
    f.server(F::command_complete("SELECT 0") + F::ready());
    // Of its own temporary table, perhaps: others have another.
    Session other({}, f.router, {.major = 3, .minor = 0, .parameters = {{"user", "me"}}});
    Output out;
    std::string start;
    wire::MessageWriter(start, 'R').i32(0);
    wire::MessageWriter(start, 'S').text("client_encoding").text("UTF8");
    other.on_server(start + F::ready(), f.now, out);
    other.on_client(F::query(similar), f.now, out);
    CHECK(F::types(out.to_server) == "CPBECCS");
    f.now.nanoseconds += 61'000'000'000;
    CHECK(F::types(f.client(F::query(similar))) == "CPBECCS");
}

TEST_CASE("inside a transaction only what cannot fail is asked", "[proxy]") {
    F f;
    const std::string other = F::query(
        "SELECT id FROM docs ORDER BY e <-> (SELECT e FROM docs WHERE id > 7 LIMIT 1) LIMIT 3"
    );
    f.client(F::query("BEGIN"));
    f.server(F::command_complete("BEGIN") + F::ready('T'));
    f.client(other);
    f.to_server();
    f.server(
        F::bare('3') + F::bare('1') + F::bare('2') + F::data_row(sample_facts()) +
        F::command_complete("SELECT 1") + F::bare('3') + F::bare('3') + F::ready('T')
    );
    CHECK(f.to_server() == other);
    f.server(F::command_complete("SELECT 0") + F::ready('T'));
    CHECK(last(f).find("may_raise") != std::string::npos);
}

TEST_CASE("an order by similarity is served where its route says so", "[proxy]") {
    const std::string sent =
        F::query("SELECT id, 1 - (e <-> '[7,0]') AS s FROM docs ORDER BY s DESC LIMIT 3");
    F f;
    CHECK(f.client(sent) == sent);
    f.server(F::command_complete("SELECT 0") + F::ready());
    CHECK(last(f).find("descending") != std::string::npos);
    opt_in(f);
    f.client(sent);
    CHECK(F::types(f.answer_facts()) == "TDDDCZ");
    CHECK(last(f).find("local") != std::string::npos);
}

TEST_CASE("rows without a vector come first in it, and are Postgres' to find", "[proxy]") {
    const std::string begin = "SELECT id FROM docs ";
    const std::string end = "ORDER BY 1 - (e <-> '[7,0]') DESC LIMIT 3";
    F f;
    opt_in(f);
    storage::Row row;
    storage::append_key_column(row.key, std::string(7, '\0') + '\x63');
    row.vectors.emplace_back(storage::NullVector{});
    f.replica.apply(
        {.commit_lsn = {100}, .end_lsn = {100}, .changes = {storage::Upsert{{4711}, {}, row}}}
    );
    f.client(F::query(begin + end));
    f.answer_facts();
    CHECK(f.to_server() == F::query(begin + end));
    f.server(F::command_complete("SELECT 0") + F::ready());
    CHECK(last(f).find("unplaced_rows") != std::string::npos);
    const std::string known = F::query(begin + "WHERE e IS NOT NULL " + end);
    CHECK(F::types(f.client(known)) == "Q");
    CHECK(f.to_server() != known);
}

TEST_CASE("tie-breakers get all rows of each distance", "[proxy]") {
    F f;
    opt_in(f);
    // Rows 6 and 8 are as far from 7 as each other, and so are 5 and 9.
    f.client(F::query("SELECT id FROM docs ORDER BY e <-> '[7,0]', id DESC LIMIT 2"));
    f.answer_facts();
    f.search();
    const std::string sent = f.to_server();
    CHECK(F::types(sent) == "Q");
    CHECK(sent.find("{\"7\",") != std::string::npos);
    CHECK(sent.find("\"6\"") != std::string::npos);
    CHECK(sent.find("\"8\"") != std::string::npos);
    CHECK(sent.find("\"9\"") == std::string::npos);
}

}  // namespace veer::proxy::session
