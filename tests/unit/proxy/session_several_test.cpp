#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <tuple>
#include <vector>

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

/// Makes docs a table of twenty rows whose key has two columns.
void load_pairs(F& f) {
    constexpr std::uint32_t int8_oid = 20;
    constexpr std::uint32_t vector_oid = 16385;
    storage::Table table;
    table.oid = {4711};
    table.schema = "public";
    table.name = "docs";
    for (const auto& [name, type, length, typmod] :
         {std::tuple{"id", int8_oid, 8, -1}, {"n", int8_oid, 8, -1}, {"e", vector_oid, -1, 2}}) {
        table.columns.push_back(
            {.name = name,
             .attnum = static_cast<std::int16_t>(table.columns.size() + 1),
             .type_oid = type,
             .type_length = static_cast<std::int16_t>(length),
             .typmod = typmod,
             .not_null = true}
        );
    }
    table.key = {0, 1};
    table.vectors = {2};
    table.indexes = {
        {.name = "docs_e",
         .method = "hnsw",
         .vector = 0,
         .operator_name = "<->",
         .operator_oid = 9}};
    table.fingerprint = "700,700,";
    f.replica.begin("app", {table});
    std::vector<storage::Row> rows(20);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string number = std::string(7, '\0') + static_cast<char>(i);
        storage::append_key_column(rows[i].key, number);
        storage::append_key_column(rows[i].key, number);
        rows[i].vectors.emplace_back(std::vector<float>{static_cast<float>(i), 0.0F});
    }
    f.replica.rows({4711}, rows);
    f.replica.ready({100});
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

TEST_CASE("keys of several columns are few for all vectors together", "[proxy]") {
    const auto limited = [](const std::string& limit) {
        return F::query(
            "SELECT r.id FROM (VALUES ('[7,0]'::vector), ('[15,0]')) AS q (v), LATERAL "
            "(SELECT id FROM docs ORDER BY e <-> q.v LIMIT " +
            limit + ") r"
        );
    };
    F f;
    load_pairs(f);
    const std::string sent = rewritten(f, limited("2"));
    CHECK(F::types(sent) == "Q");
    CHECK(sent.find(") OR (\"q\".\"v\"") != std::string::npos);
    f.server(rows(4) + F::ready());

    CHECK(f.client(limited("120")) == limited("120"));
    f.server(rows(40) + F::ready());
    CHECK(last_reason(f).find("several_vectors") != std::string::npos);
}

TEST_CASE("an answer too long to be held back is not begun before it is complete", "[proxy]") {
    F f;
    const std::string question = searches("");
    rewritten(f, question);
    const std::string row = F::data_row({"1", std::string(std::size_t{3} << 20U, 'x')});
    CHECK(f.server(row + row).empty());
    CHECK(f.server(row + F::command_complete("SELECT 3") + F::ready()).empty());
    CHECK(f.to_server() == question);
    CHECK(F::types(f.server(rows(3) + F::ready())) == "DDDCZ");
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
