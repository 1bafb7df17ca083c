#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer;
using namespace veer::tests;
using storage::sync::Phase;
using storage::sync::Syncer;

namespace {

void create_table(const PostgresServer& server, const std::string& name, bool indexed) {
    server.exec(
        "CREATE TABLE " + name +
        " (id bigint PRIMARY KEY, emb vector(3));"
        "INSERT INTO " +
        name + " SELECT i, ARRAY[i, i, 1]::vector FROM generate_series(1, 50) i"
    );
    if (indexed) {
        server.exec("CREATE INDEX " + name + "_emb ON " + name + " USING hnsw (emb vector_l2_ops)");
    }
}

bool has_tables(const RecordingObserver& observer, std::size_t count) {
    return wait_until([&] { return observer.begins() > 0 && observer.tables().size() == count; });
}

}  // namespace

TEST_CASE("Indexes that come and go take their tables in and out of the copy", "[storage]") {
    const PostgresServer server;
    create_table(server, "a", false);
    create_table(server, "b", false);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(has_tables(observer, 0));
    REQUIRE(wait_until([&] {
        return observer.last_status().reason.find("no table with an hnsw or ivfflat index") !=
               std::string::npos;
    }));
    CHECK(server.value("SELECT count(*) FROM pg_replication_slots") == "0");

    server.exec("CREATE INDEX a_emb ON a USING hnsw (emb vector_l2_ops)");
    REQUIRE(has_tables(observer, 1));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("a") == rows_in_postgres(server, "a"));

    server.exec("CREATE INDEX b_emb ON b USING ivfflat (emb vector_l2_ops)");
    REQUIRE(has_tables(observer, 2));
    CHECK(observer.copies("a") == 1);
    CHECK(observer.interruptions() == 0);
    REQUIRE(caught_up(server, observer));
    server.exec("UPDATE b SET emb = '[7,7,7]' WHERE id = 7");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("b") == rows_in_postgres(server, "b"));

    server.exec("DROP INDEX a_emb");
    REQUIRE(has_tables(observer, 1));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.tables().front().name == "b");
    CHECK(observer.table_rows("b") == rows_in_postgres(server, "b"));

    server.exec("DROP TABLE b");
    REQUIRE(has_tables(observer, 0));
    CHECK(wait_until([&] {
        return server.value("SELECT count(*) FROM pg_replication_slots") == "0" &&
               server.value("SELECT count(*) FROM pg_publication") == "0";
    }));
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("A declared route is followed without an index, and outlives one", "[storage]") {
    const PostgresServer server;
    create_table(server, "items", false);
    storage::sync::SyncOptions declared = options(server);
    declared.columns.declared = {{"public", "items", "emb", "", "<->"}};
    RecordingObserver observer;
    Syncer syncer{declared, observer};
    syncer.start();
    REQUIRE(has_tables(observer, 1));
    const auto named = [&](const std::string& name) {
        return wait_until([&] {
            const auto tables = observer.tables();
            return tables.size() == 1 && tables.front().indexes.size() == 1 &&
                   tables.front().indexes.front().name == name;
        });
    };
    REQUIRE(named(""));
    server.exec("CREATE INDEX items_emb ON items USING hnsw (emb vector_l2_ops) WITH (m = 8)");
    REQUIRE(named("items_emb"));
    server.exec("DROP INDEX items_emb");
    REQUIRE(named(""));
    CHECK(observer.tables().front().indexes.front().m == 8);
    server.exec("UPDATE items SET emb = '[7,7,7]' WHERE id = 7");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.copies("items") == 1);
    CHECK(observer.interruptions() == 0);
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("What does not matter to the copy is followed without another one", "[storage]") {
    const PostgresServer server;
    create_table(server, "items", true);
    server.exec("CREATE ROLE reader");
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const auto is_now = [&](const std::string& name, std::size_t columns) {
        return wait_until([&] {
            return observer.tables().front().name == name &&
                   observer.tables().front().columns.size() == columns;
        });
    };
    server.exec("GRANT SELECT (emb) ON items TO reader; COMMENT ON COLUMN items.emb IS 'x'");
    server.exec("ALTER TABLE items ALTER emb SET STATISTICS 10; ALTER TABLE items ADD note text");
    REQUIRE(is_now("items", 3));
    server.exec("INSERT INTO items VALUES (100, '[1,2,3]', 'new'); UPDATE items SET note = 'x'");
    server.exec("ALTER TABLE items RENAME TO things");
    REQUIRE(is_now("things", 3));
    server.exec("ALTER TABLE things DROP note; UPDATE things SET emb = '[4,5,6]' WHERE id = 1");
    REQUIRE(is_now("things", 2));
    server.exec("VACUUM FULL things");
    const std::string file =
        server.value("SELECT '|' || relfilenode || '|' FROM pg_class WHERE relname = 'things'");
    REQUIRE(wait_until([&] {
        return observer.tables().front().fingerprint.find(file) != std::string::npos;
    }));
    server.exec("DELETE FROM things WHERE id = 2");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("things") == rows_in_postgres(server, "things"));
    CHECK(observer.copies() == 1);
    CHECK(observer.begins() == 1);
    syncer.stop();
    server.exec("GRANT UPDATE (emb, id) ON things TO reader; ALTER TABLE things RENAME TO items");
    RecordingObserver again;
    Syncer next{options(server), again};
    next.start();
    REQUIRE(caught_up(server, again));
    CHECK(again.copies() == 0);
    CHECK(again.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.violations() == std::vector<std::string>{});
    CHECK(again.violations().empty());
}

TEST_CASE("A table that leaves stops no other", "[storage]") {
    const PostgresServer server;
    create_table(server, "a", true);
    create_table(server, "b", true);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    SECTION("its index is dropped, and even its key: it is published no longer") {
        server.exec("DROP INDEX a_emb");
        REQUIRE(has_tables(observer, 1));
        REQUIRE(wait_until([&] {
            return server.value(
                       "SELECT string_agg(prrelid::regclass::text, ',') "
                       "FROM pg_publication_rel"
                   ) == "b";
        }));
        server.exec("ALTER TABLE a DROP CONSTRAINT a_pkey; UPDATE a SET emb = '[1,1,1]'");
    }
    SECTION("it is dropped") {
        server.exec("DROP TABLE a");
        REQUIRE(has_tables(observer, 1));
    }
    server.exec("UPDATE b SET emb = '[7,7,7]' WHERE id = 7");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.tables().front().name == "b");
    CHECK(observer.table_rows("b") == rows_in_postgres(server, "b"));
    syncer.stop();
    CHECK(rows_in_store(store_directory(server), "b").size() == 50);
    CHECK(observer.copies() == 1);
    CHECK(observer.begins() == 1);
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("A column that becomes another type is copied again", "[storage]") {
    const PostgresServer server;
    create_table(server, "items", true);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    SECTION("with other dimensions, and a row in the stream") {
        server.exec(
            "ALTER TABLE items ALTER emb TYPE vector(2) USING subvector(emb, 1, 2)::vector(2);"
            "INSERT INTO items VALUES (99, '[1,2]')"
        );
    }
    SECTION("with the same dimensions and other values, silently") {
        server.exec("ALTER TABLE items ALTER emb TYPE vector(3) USING (emb + emb)::vector(3)");
    }
    REQUIRE(wait_until([&] { return observer.copies() == 2; }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
}

TEST_CASE("The key is the replica identity, whatever the primary key is", "[storage]") {
    const PostgresServer server;
    server.exec(
        "CREATE TABLE items (pk int PRIMARY KEY, id bigint NOT NULL UNIQUE, emb vector(768));"
        "ALTER TABLE items REPLICA IDENTITY USING INDEX items_id_key;"
        "CREATE INDEX ON items USING hnsw (emb vector_l2_ops);"
        "CREATE TABLE whole (id bigint PRIMARY KEY, n int, emb vector(768));"
        "ALTER TABLE whole REPLICA IDENTITY FULL;"
        "CREATE INDEX ON whole USING hnsw (emb vector_l2_ops)"
    );
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const std::string emb = "(SELECT array_agg(sin(j))::vector FROM generate_series(1, 768) j)";
    server.exec(
        "INSERT INTO items VALUES (1, 10, " + emb + "), (2, 20, " + emb + ");" +
        "INSERT INTO whole VALUES (1, 1, " + emb + "), (2, 2, " + emb + ")"
    );
    server.exec(
        "UPDATE items SET pk = 3 WHERE pk = 1; UPDATE items SET id = 30 WHERE id = 20;"
        "UPDATE whole SET n = 5; UPDATE whole SET id = 7 WHERE id = 2; DELETE FROM whole WHERE id "
        "= 1"
    );
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.table_rows("whole") == rows_in_postgres(server, "whole", "id, emb"));
    CHECK(observer.table_rows("whole").size() == 1);
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("Tables that cannot be followed are named with their reasons", "[storage]") {
    const PostgresServer server;
    server.exec(
        "CREATE TABLE no_key (id int, emb vector(3)); CREATE INDEX ON no_key USING hnsw (emb "
        "vector_l2_ops);"
        "CREATE TABLE numeric_key (id numeric PRIMARY KEY, emb vector(3));"
        "CREATE INDEX ON numeric_key USING hnsw (emb vector_l2_ops);"
        "CREATE TABLE parts (id int PRIMARY KEY, emb vector(3)) PARTITION BY RANGE (id);"
        "CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (9);"
        "CREATE INDEX ON part1 USING hnsw (emb vector_l2_ops);"
        "CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY, emb vector(3));"
        "CREATE INDEX ON unlogged USING hnsw (emb vector_l2_ops);"
        "CREATE TABLE half (id int PRIMARY KEY, emb vector(3));"
        "CREATE INDEX ON half USING hnsw ((emb::halfvec(3)) halfvec_l2_ops)"
    );
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(has_tables(observer, 0));
    REQUIRE(wait_until([&] { return !observer.last_status().reason.empty(); }));
    const std::string reason = observer.last_status().reason;
    INFO(reason);
    for (const char* const expected :
         {"public.no_key: it has no primary key",
          "public.numeric_key: its key column id has the type numeric",
          "public.part1: it is a partition",
          "public.unlogged: it is unlogged",
          "indexes on expressions"}) {
        CHECK(reason.find(expected) != std::string::npos);
    }
}
