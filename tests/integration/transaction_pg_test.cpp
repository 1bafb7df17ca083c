#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

// What a session did before decides who may answer, and no answer is older than it may be.

namespace veer::tests {

namespace {

const std::string search =
    "SELECT id FROM docs ORDER BY e <=> '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]' LIMIT 1";

std::string insert(int id) {
    return "INSERT INTO docs (id, title, e) VALUES (" + std::to_string(id) +
           ", 'new', '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]')";
}

struct Reader {
    explicit Reader(const std::string& dsn) : client(dsn) {}

    /// "value engine reason" of one search.
    std::string search_once() {
        const std::string found = client.simple(search).value();
        const Outcome last = client.simple("SHOW veer.last");
        return found + ' ' + last.rows[0][0].value() + ' ' + last.rows[0][1].value();
    }

    Client client;
};

}  // namespace

TEST_CASE("a READ COMMITTED transaction is served until it writes", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Reader reader(playground.through());
    const std::string before = reader.client.simple(search).value();
    reader.client.simple("BEGIN");
    CHECK(reader.search_once() == before + " veer local");
    reader.client.simple(insert(90001));
    CHECK(reader.search_once() == "90001 postgres transaction_wrote");
    reader.client.simple("ROLLBACK");
    CHECK(reader.search_once() == before + " veer local");
}

TEST_CASE(
    "isolation, roles and settings that forbid it send a search to Postgres", "[integration]"
) {
    Playground playground("[defaults]\npercent = 100\n");
    Reader reader(playground.through());
    const std::string best = reader.client.simple(search).value();
    reader.client.simple("BEGIN ISOLATION LEVEL REPEATABLE READ");
    CHECK(reader.search_once() == best + " postgres isolation");
    reader.client.simple("COMMIT");
    reader.client.simple("SET enable_indexscan = off");
    CHECK(reader.search_once() == best + " postgres exact_requested");
    reader.client.simple("RESET ALL");
    reader.client.simple("BEGIN; SET LOCAL veer.route = 'postgres'");
    CHECK(reader.search_once() == best + " postgres session_route");
    reader.client.simple("COMMIT");
    CHECK(reader.search_once() == best + " veer local");
    reader.client.simple("CREATE TEMP TABLE docs (id bigint, e vector(8))");
    CHECK(reader.search_once() == " postgres hidden_name");
    reader.client.simple("DROP TABLE pg_temp.docs");
    CHECK(reader.search_once() == best + " veer local");
}

TEST_CASE("no role sees through veer what Postgres would not show it", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client owner(playground.through());
    owner.simple("CREATE ROLE guest; CREATE ROLE tenant; GRANT SELECT ON docs TO tenant");
    Reader reader(playground.through());
    reader.client.simple("SET ROLE guest");
    CHECK(reader.client.simple(search).sqlstate == "42501");
    reader.client.simple("SET ROLE tenant");
    CHECK(reader.search_once().ends_with(" veer local"));
    owner.simple("REVOKE SELECT ON docs FROM tenant");
    CHECK(reader.client.simple(search).sqlstate == "42501");
    owner.simple("GRANT SELECT ON docs TO tenant; ALTER TABLE docs ENABLE ROW LEVEL SECURITY");
    CHECK(reader.search_once() == " postgres row_security");
}

TEST_CASE("every search sees what was committed through veer before it", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client writer(playground.through());
    Reader reader(playground.through());
    for (int id = 80001; id <= 80100; ++id) {
        writer.simple("DELETE FROM docs WHERE id > 80000; " + insert(id));
        CHECK(reader.client.simple(search).value() == std::to_string(id));
    }
    CHECK(reader.search_once() == "80100 veer local");
}

TEST_CASE("hnsw.ef_search, updates and TRUNCATE take effect", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Reader reader(playground.through());
    reader.client.simple("SET hnsw.ef_search = 10");
    CHECK(reader.search_once().ends_with(" veer local"));
    reader.client.simple("UPDATE docs SET e = '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]' WHERE id = 17"
    );
    CHECK(reader.search_once() == "17 veer local");
    reader.client.simple("UPDATE docs SET id = 17017 WHERE id = 17");
    CHECK(reader.search_once() == "17017 veer local");
    reader.client.simple("TRUNCATE docs");
    CHECK(reader.search_once() == " postgres short_answer");
}

TEST_CASE(
    "a temporary table made by SELECT INTO, or a child table, changes who answers", "[integration]"
) {
    Playground playground("[defaults]\npercent = 100\n");
    Reader reader(playground.through());
    const std::string best = reader.client.simple(search).value();
    CHECK(reader.search_once() == best + " veer local");
    reader.client.simple("SELECT * INTO TEMP docs FROM public.docs WHERE id < 3");
    CHECK(reader.search_once().ends_with(" postgres hidden_name"));
    reader.client.simple("DROP TABLE pg_temp.docs");
    reader.client.simple("CREATE TABLE child () INHERITS (docs)");
    reader.client.simple(
        "INSERT INTO child (id, e) VALUES (70001, '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]')"
    );
    CHECK(reader.client.simple(search).value() == "70001");
}

TEST_CASE("a database made from the same template gets its own rows", "[integration]") {
    Playground playground("");
    playground.veer.stop();
    playground.postgres.exec("CREATE DATABASE twin TEMPLATE postgres");
    Client twin(
        "host=127.0.0.1 user=postgres dbname=twin port=" +
        std::to_string(playground.postgres.port())
    );
    twin.simple("UPDATE docs SET id = -id");
    const VeerProcess veer(
        playground.directory / "second", playground.direct(), "[defaults]\npercent = 100\n"
    );
    Client main(veer.dsn("user=postgres dbname=postgres"));
    REQUIRE(wait_until([&] {
        main.simple(search);
        return main.simple("SHOW veer.last").rows[0][0] == "veer";
    }));
    Client through(veer.dsn("user=postgres dbname=twin"));
    CHECK(through.simple(search).value() == twin.simple(search).value());
    CHECK(through.simple("SHOW veer.last").rows[0][0] == "postgres");
}

TEST_CASE("COMMIT AND CHAIN and a commit in the middle of a query are commits", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client writer(playground.through());
    Reader reader(playground.through());
    reader.search_once();
    writer.simple("BEGIN");
    writer.simple(insert(60001));
    writer.simple("COMMIT AND CHAIN");
    CHECK(reader.client.simple(search).value() == "60001");
    writer.simple("COMMIT");
    writer.simple("DELETE FROM docs WHERE id = 60001");
    writer.simple("BEGIN; " + insert(60002) + "; COMMIT; BEGIN");
    CHECK(reader.client.simple(search).value() == "60002");
}

}  // namespace veer::tests
