#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

using namespace veer;
using namespace veer::tests;
using storage::sync::Phase;
using storage::sync::Syncer;

namespace {

/// A vector as an SQL expression; 768 dimensions are stored out of line, 4 are not.
std::string random_vector(std::mt19937& random, int dimensions) {
    return "(SELECT array_agg(sin(i * " + std::to_string(random() % 100'000) +
           ")::float4)::vector FROM generate_series(1, " + std::to_string(dimensions) + ") i)";
}

void create_tables(const PostgresServer& server) {
    server.exec(
        "CREATE TABLE big (note text, id bigint PRIMARY KEY, emb vector(768), n int DEFAULT 0);"
        "CREATE INDEX big_hnsw ON big USING hnsw (emb vector_cosine_ops) WITH (m = 8, "
        "ef_construction = 32);"
        "CREATE TABLE \"Small t\" (id bigint PRIMARY KEY, emb vector(4), emb2 vector(3), n int "
        "DEFAULT 0);"
        "CREATE INDEX small_l2 ON \"Small t\" USING ivfflat (emb vector_l2_ops);"
        "CREATE INDEX small_ip ON \"Small t\" USING hnsw (emb2 vector_ip_ops);"
        "CREATE TABLE other (id int PRIMARY KEY, t text);"
    );
}

/// One random statement on a table.
std::string random_statement(std::mt19937& random, const std::string& table, int dimensions) {
    const std::string id = std::to_string(random() % 300);
    const std::string other = std::to_string(random() % 300 + 1'000);
    switch (random() % 10) {
        case 0:
        case 1:
        case 2:
            return "INSERT INTO " + table + " (id, emb) VALUES (" + id + ", " +
                   random_vector(random, dimensions) +
                   ") ON CONFLICT (id) DO UPDATE SET emb = excluded.emb;";
        case 3:
            return "UPDATE " + table + " SET emb = " + random_vector(random, dimensions) +
                   " WHERE id = " + id + ";";
        case 4:
        case 5:
            return "UPDATE " + table + " SET n = n + 1 WHERE id % 10 = " + id + " % 10;";
        case 6:
            return "UPDATE " + table + " SET emb = NULL WHERE id = " + id + ";";
        case 7:
            return "UPDATE " + table + " SET id = " + other + " WHERE id = " + id +
                   " AND NOT EXISTS (SELECT FROM " + table + " WHERE id = " + other + ");";
        case 8:
            return "DELETE FROM " + table + " WHERE id = " + id + " OR id = " + other + ";";
        default:
            return "UPDATE " + table + " SET id = -id WHERE id = " + other +
                   " AND NOT EXISTS (SELECT FROM " + table + " WHERE id = -" + other + ");";
    }
}

/// Transactions of one to eight statements on both tables; some are rolled back, few truncate.
/// Returns how many of these there were.
int run_workload(const PostgresServer& server, std::mt19937& random, int transactions) {
    PostgresClient client{server.dsn()};
    int truncates = 0;
    for (int transaction = 0; transaction < transactions; ++transaction) {
        client.exec("BEGIN");
        if (random() % 40 == 0) {
            ++truncates;
            client.exec(random() % 2 == 0 ? "TRUNCATE big" : "TRUNCATE big, \"Small t\", other");
        }
        for (auto left = random() % 8 + 1; left > 0; --left) {
            const bool big = random() % 2 == 0;
            client.exec(random_statement(random, big ? "big" : "\"Small t\"", big ? 768 : 4));
            if (random() % 8 == 0) {
                client.exec("SAVEPOINT s; DELETE FROM big WHERE id < 100; ROLLBACK TO s");
            }
        }
        client.exec(random() % 6 == 0 ? "ROLLBACK" : "COMMIT");
    }
    return truncates;
}

void seed_rows(const PostgresServer& server) {
    server.exec(
        "INSERT INTO big (id, emb) SELECT i, (SELECT array_agg(sin(i * j)::float4)::vector "
        "FROM generate_series(1, 768) j) FROM generate_series(1, 1500) i;"
        "INSERT INTO \"Small t\" (id, emb, emb2) SELECT i, ARRAY[i, 1, 2, 3]::vector, "
        "CASE WHEN i % 3 > 0 THEN ARRAY[i, 0, 1]::vector END FROM generate_series(1, 2500) i;"
    );
}

bool slot_becomes_active(const PostgresServer& server) {
    return wait_until([&] {
        return server.value("SELECT count(*) FROM pg_replication_slots WHERE active") == "1";
    });
}

void check_equal(const PostgresServer& server, const RecordingObserver& observer) {
    CHECK(observer.table_rows("big") == rows_in_postgres(server, "big"));
    CHECK(
        observer.table_rows("Small t") == rows_in_postgres(server, "\"Small t\"", "id, emb, emb2")
    );
    CHECK(observer.violations() == std::vector<std::string>{});
}

}  // namespace

TEST_CASE(
    "A copy under a running workload, then the stream, then a restart equal the tables", "[storage]"
) {
    const PostgresServer server;
    create_tables(server);
    seed_rows(server);
    std::mt19937 random{7};
    RecordingObserver first;
    {
        Syncer syncer{options(server), first};
        syncer.start();
        const int truncates = run_workload(server, random, 150);
        REQUIRE(caught_up(server, first));
        check_equal(server, first);
        // A TRUNCATE at the beginning of a copy makes it begin again, nothing else does.
        const int copies = first.copies();
        CHECK(copies <= 1 + truncates);
        CHECK(run_workload(server, random, 150) > 0);
        REQUIRE(caught_up(server, first));
        check_equal(server, first);
        CHECK(first.copies() == copies);
        CHECK(first.begins() == 1);
    }
    CHECK(rows_in_store(store_directory(server), "big") == rows_in_postgres(server, "big"));
    CHECK(
        rows_in_store(store_directory(server), "Small t") ==
        rows_in_postgres(server, "\"Small t\"", "id, emb, emb2")
    );

    run_workload(server, random, 60);
    RecordingObserver second;
    {
        Syncer syncer{options(server), second};
        syncer.start();
        REQUIRE(caught_up(server, second));
        check_equal(server, second);
        CHECK(second.copies() == 0);
        CHECK(second.begins() == 1);
    }
    CHECK(rows_in_store(store_directory(server), "big") == rows_in_postgres(server, "big"));
}

TEST_CASE("A syncer that is killed again and again applies every transaction once", "[storage]") {
    const PostgresServer server;
    create_tables(server);
    seed_rows(server);
    std::mt19937 random{11};
    {
        // The copies are not what is killed here: whoever resumes has all tables to resume.
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    for (int round = 0; round < 6; ++round) {
        const pid_t child = spawn_syncer(server);
        REQUIRE(child > 0);
        run_workload(server, random, static_cast<int>(20 + random() % 80));
        REQUIRE((round > 0 || slot_becomes_active(server)));
        kill(child, SIGKILL);
        CHECK(waitpid(child, nullptr, 0) == child);
    }
    RecordingObserver observer;
    {
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
        check_equal(server, observer);
        CHECK(observer.copies() == 0);
    }
    CHECK(rows_in_store(store_directory(server), "big") == rows_in_postgres(server, "big"));
}

TEST_CASE("The discovered tables have the indexes' parameters and operators", "[storage]") {
    const PostgresServer server;
    create_tables(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const auto tables = observer.tables();
    REQUIRE(tables.size() == 2);
    const storage::Table& big = tables[0];
    CHECK(big.schema == "public");
    CHECK(big.columns.size() == 4);
    CHECK(big.key == std::vector<std::size_t>{1});
    CHECK(big.vectors == std::vector<std::size_t>{2});
    CHECK(big.columns[2].typmod == 768);
    REQUIRE(big.indexes.size() == 1);
    CHECK(big.indexes[0].operator_name == "<=>");
    CHECK(big.indexes[0].m == 8);
    CHECK(big.indexes[0].ef_construction == 32);
    const storage::Table& small = tables[1];
    CHECK(small.vectors == std::vector<std::size_t>{1, 2});
    REQUIRE(small.indexes.size() == 2);
    CHECK(small.indexes[0].method == "ivfflat");
    CHECK(small.indexes[0].operator_name == "<->");
    CHECK(small.indexes[1].operator_name == "<#>");
    CHECK(small.indexes[1].vector == 1);
    CHECK(
        std::to_string(small.indexes[1].operator_oid) ==
        server.value("SELECT '<#>(vector,vector)'::regoperator::oid")
    );
}

TEST_CASE(
    "A quiet copied table follows what other tables write, and lets the server forget it",
    "[storage]"
) {
    const PostgresServer server;
    create_tables(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(wait_for_phase(observer, Phase::streaming));
    server.exec("INSERT INTO other SELECT i, repeat('x', 500) FROM generate_series(1, 5000) i");
    const std::string written = server.value("SELECT pg_current_wal_lsn()");
    REQUIRE(caught_up(server, observer));
    // The slot stays at its landmark until 1 MB more has been written.
    server.exec("UPDATE other SET id = id + 10000");
    CHECK(wait_until([&] {
        return server.value(
                   "SELECT confirmed_flush_lsn >= '" + written + "' FROM pg_replication_slots"
               ) == "t";
    }));
}
