#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <optional>
#include <random>
#include <thread>

// Tables come into a running stream, and fall out of it, one by one.

using namespace veer;
using namespace veer::tests;
using storage::sync::Phase;
using storage::sync::Syncer;
using storage::sync::TableState;

namespace {

/// `steady` has an index, `late` has not; vectors of 600 dimensions are stored out of line.
void create_tables(const PostgresServer& server, int rows, const char* key_type = "bigint") {
    const std::string key{key_type};
    server.exec(
        "CREATE TABLE steady (id bigint PRIMARY KEY, emb vector(3), n numeric DEFAULT 0);"
        "CREATE INDEX steady_emb ON steady USING hnsw (emb vector_l2_ops);"
        "INSERT INTO steady SELECT i, ARRAY[i, i, 1]::vector FROM generate_series(1, 100) i;"
        "CREATE TABLE late (id " +
        key +
        " PRIMARY KEY, emb vector(600), n numeric DEFAULT 0);"
        "INSERT INTO late SELECT i, (SELECT array_agg(sin(i * j)::float4)::vector "
        "FROM generate_series(1, 600) j) FROM generate_series(1, " +
        std::to_string(rows) + ") i"
    );
}

void index_late(const PostgresServer& server) {
    server.exec("CREATE INDEX late_emb ON late USING ivfflat (emb vector_l2_ops) WITH (lists = 1)");
}

bool joined(const RecordingObserver& observer, const std::string& table) {
    return wait_until([&] { return observer.table_status(table).state == TableState::streaming; });
}

bool waits_because(const RecordingObserver& observer, const std::string& table, const char* why) {
    return wait_until([&] {
        const auto status = observer.table_status(table);
        return status.state != TableState::streaming &&
               status.reason.find(why) != std::string::npos;
    });
}

void check_equal(const PostgresServer& server, const RecordingObserver& observer) {
    CHECK(observer.table_rows("steady") == rows_in_postgres(server, "steady"));
    CHECK(observer.table_rows("late") == rows_in_postgres(server, "late"));
    for (const std::string& violation : observer.violations()) {
        FAIL_CHECK(violation);
    }
}

/// One random statement: rows come, change in part or whole, change their key, and go.
std::string random_statement(std::mt19937& random) {
    const bool late = random() % 2 == 0;
    const std::string table = late ? "late" : "steady";
    const std::string id = std::to_string(random() % 400);
    const std::string vector = "(SELECT array_agg(sin(i * " + std::to_string(random() % 1'000) +
                               ")::float4)::vector FROM generate_series(1, " +
                               (late ? "600" : "3") + ") i)";
    switch (random() % 8) {
        case 0:
        case 1:
            return "INSERT INTO " + table + " (id, emb) VALUES (" + id + ", " + vector +
                   ") ON CONFLICT (id) DO UPDATE SET emb = excluded.emb";
        case 2:
            return "UPDATE " + table + " SET emb = " + vector + " WHERE id = " + id;
        case 3:
            return "UPDATE " + table + " SET n = n + 1 WHERE id % 20 = " + id + " % 20";
        case 4:
            return "UPDATE " + table + " SET id = -id WHERE id = " + id +
                   " AND NOT EXISTS (SELECT FROM " + table + " WHERE id = -" + id + ")";
        case 5:
            return "DELETE FROM " + table + " WHERE id = " + id;
        case 6:
            return random() % 30 == 0 ? "TRUNCATE " + table
                                      : "UPDATE " + table + " SET emb = NULL WHERE id = " + id;
        default:
            return "BEGIN; DELETE FROM " + table + " WHERE id < " + id + "; ROLLBACK";
    }
}

/// Writes to both tables from a thread of its own, until it is stopped.
class Writer {
  public:
    Writer(const PostgresServer& server, unsigned seed) {
        thread_ = std::thread{[this, dsn = server.dsn(), seed] {
            std::mt19937 random{seed};
            PostgresClient client{dsn};
            while (!stop_) {
                const std::string statement = random_statement(random);
                const bool truncates = statement == "TRUNCATE late";
                truncates_begun_ += truncates ? 1 : 0;
                client.exec(statement);
                truncates_ended_ += truncates ? 1 : 0;
                ++written_;
            }
        }};
    }

    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    ~Writer() { stop(); }

    void stop() {
        stop_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    int written() const { return written_; }

    int truncates_begun() const { return truncates_begun_; }  ///< of `late`

    int truncates_ended() const { return truncates_ended_; }

  private:
    std::atomic<bool> stop_ = false;
    std::atomic<int> written_ = 0;
    std::atomic<int> truncates_begun_ = 0;
    std::atomic<int> truncates_ended_ = 0;
    std::thread thread_;
};

/// `late` gets an index, and joins while both are written.
void join_late(
    const PostgresServer& server, const RecordingObserver& observer, const Writer& writer
) {
    const int before = writer.written();
    const int copies = observer.copies("late");
    const int truncates = writer.truncates_ended();
    index_late(server);
    REQUIRE(joined(observer, "late"));
    CHECK(writer.written() > before);
    // One copy; and one more for a TRUNCATE at its beginning, never without one.
    const int again = observer.copies("late") - copies - 1;
    CHECK(again >= 0);
    CHECK(again <= writer.truncates_begun() - truncates);
}

/// A transaction in whose history integer has no binary form: the keys of `poisoned` come as text,
/// for ever. It writes to the other tables, too, which have everything at the end.
void poison(const PostgresServer& server, const RecordingObserver& observer, int round) {
    const std::string id = std::to_string(round);
    std::string sql = "BEGIN; UPDATE pg_type SET typsend = 0 WHERE typname = 'int4';";
    sql.append("INSERT INTO poisoned VALUES (").append(id).append(", '[1,2]');");
    sql.append("UPDATE steady SET emb = '[").append(id).append(",7,7]' WHERE id = 7;");
    sql.append("DELETE FROM late WHERE id = ").append(id).append(";");
    sql.append("UPDATE pg_type SET typsend = 'int4send'::regproc WHERE typname = 'int4'; COMMIT");
    server.exec(sql);
    REQUIRE(wait_until([&] { return observer.told("a key did not come in binary"); }));
    const storage::Lsn now = storage::parse_lsn(server.value("SELECT pg_current_wal_lsn()"));
    REQUIRE(wait_until([&] { return observer.position() >= now; }));
    check_equal(server, observer);
}

/// A syncer in a process of its own, which is killed while it may be copying.
void run_and_kill(const PostgresServer& server, const Writer& writer, std::mt19937& random) {
    const pid_t child = spawn_syncer(server);
    const int enough = writer.written() + static_cast<int>(random() % 40);
    CHECK(wait_until([&] {
        return writer.written() >= enough &&
               server.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' "
                   "OR application_name LIKE 'veer_%'"
               ) != "0";
    }));
    kill(child, SIGKILL);
    CHECK(waitpid(child, nullptr, 0) == child);
}

unsigned new_seed() {
    return std::random_device{}();
}

}  // namespace

TEST_CASE("A table joins under writes, and no other is stopped or copied again", "[storage]") {
    const PostgresServer server;
    create_tables(server, 2'000);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const unsigned seed = new_seed();
    INFO("seed " << seed);
    Writer writer{server, seed};
    join_late(server, observer, writer);
    for (int round = 1; round < 3; ++round) {
        server.exec("DROP INDEX late_emb");
        REQUIRE(wait_until([&] { return observer.tables().size() == 1; }));
        join_late(server, observer, writer);
    }
    writer.stop();
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    CHECK(observer.copies("steady") == 1);
    CHECK(observer.begins() == 1);
    CHECK(observer.interruptions() == 0);
    syncer.stop();
    CHECK(rows_in_store(store_directory(server), "late") == rows_in_postgres(server, "late"));
    CHECK(rows_in_store(store_directory(server), "steady") == rows_in_postgres(server, "steady"));
    CHECK(server.value("SELECT count(*) FROM pg_replication_slots") == "1");
}

TEST_CASE("A column that becomes another one costs its own table a copy only", "[storage]") {
    const PostgresServer server;
    create_tables(server, 50);
    index_late(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    SECTION("another type, and rows of it in the stream") {
        server.exec(
            "BEGIN; DROP INDEX late_emb;"
            "ALTER TABLE late ALTER emb TYPE vector(2) USING subvector(emb, 1, 2)::vector(2);"
            "CREATE INDEX ON late USING hnsw (emb vector_l2_ops); COMMIT;"
            "UPDATE late SET emb = '[1,2]' WHERE id < 10"
        );
    }
    SECTION("other values, which the stream does not show") {
        server.exec("ALTER TABLE late ALTER emb TYPE vector(600) USING (emb + emb)::vector(600)");
    }
    SECTION("another name") {
        server.exec(
            "ALTER TABLE late RENAME id TO key; UPDATE late SET n = 1 WHERE key = 5;"
            "ALTER TABLE late RENAME key TO id"
        );
    }
    SECTION("another table of the same name") {
        server.exec(
            "DROP TABLE late; CREATE TABLE late (id bigint PRIMARY KEY, emb vector(600));"
            "CREATE INDEX ON late USING hnsw (emb vector_l2_ops);"
            "INSERT INTO late VALUES (1, NULL)"
        );
    }
    SECTION("out of the publication, and back") {
        const std::string name = server.value("SELECT pubname FROM pg_publication");
        server.exec(
            "ALTER PUBLICATION " + name + " DROP TABLE late; DELETE FROM late WHERE id = 2;" +
            "ALTER PUBLICATION " + name + " ADD TABLE late"
        );
    }
    REQUIRE(wait_until([&] { return observer.copies("late") == 2; }));
    REQUIRE(joined(observer, "late"));
    server.exec("DELETE FROM late WHERE id = 1; DELETE FROM steady WHERE id = 1");
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    CHECK(observer.copies("steady") == 1);
    CHECK(observer.begins() == 1);
    CHECK(observer.interruptions() == 0);
}

TEST_CASE("A table whose rows cannot be read stops no other", "[storage]") {
    const PostgresServer server;
    create_tables(server, 50);
    index_late(server);
    server.exec(
        "CREATE TABLE poisoned (id int PRIMARY KEY, emb vector(2));"
        "CREATE INDEX ON poisoned USING hnsw (emb vector_l2_ops)"
    );
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    poison(server, observer, 1);
    REQUIRE(joined(observer, "poisoned"));  // at once; the second time it waits
    CHECK(observer.table_rows("poisoned").size() == 1);
    poison(server, observer, 2);
    CHECK(waits_because(observer, "poisoned", "a key did not come in binary"));
    CHECK(observer.copies("poisoned") == 2);
    CHECK(observer.copies("steady") == 1);
    CHECK(observer.copies("late") == 1);
    CHECK(observer.interruptions() == 0);
}

TEST_CASE("A right that is taken away refuses its table, and gives it back", "[storage]") {
    const PostgresServer server;
    create_tables(server, 50);
    index_late(server);
    server.exec(
        "CREATE ROLE vee LOGIN REPLICATION; GRANT SELECT ON steady, late TO vee;"
        "GRANT CREATE ON DATABASE postgres TO vee; ALTER TABLE steady OWNER TO vee;"
        "CREATE ROLE owners; GRANT owners TO vee; ALTER TABLE late OWNER TO owners;"
        "GRANT CREATE ON SCHEMA public TO owners"
    );
    RecordingObserver observer;
    Syncer syncer{options(server, "vee"), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    server.exec("REVOKE owners FROM vee; REVOKE SELECT ON late FROM vee");
    REQUIRE(waits_because(observer, "late", "GRANT SELECT ON public.late TO vee;"));
    CHECK(observer.table_status("late").state == TableState::refused);
    server.exec("DELETE FROM steady WHERE id = 1; DELETE FROM late WHERE id = 1");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("steady") == rows_in_postgres(server, "steady"));
    REQUIRE(wait_until([&] {  // it leaves once the stream has let go of it
        return server.value("SELECT count(*) FROM pg_publication_tables WHERE tablename = 'late'"
               ) == "0";
    }));
    server.exec("GRANT SELECT ON late TO vee");
    REQUIRE(waits_because(observer, "late", "let their owner run: ALTER PUBLICATION"));
    CHECK(observer.table_status("late").state == TableState::refused);
    server.exec("GRANT owners TO vee");
    REQUIRE(joined(observer, "late"));
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    CHECK(observer.copies("steady") == 1);
    CHECK(observer.interruptions() == 0);
}

TEST_CASE("A table that is locked waits for its turn, and the others do not", "[storage]") {
    const PostgresServer server;
    create_tables(server, 50);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    index_late(server);
    REQUIRE(joined(observer, "late"));
    std::optional<PostgresClient> migration{server.dsn()};
    migration->exec("BEGIN; ALTER TABLE late ADD extra int");
    server.exec(
        "CREATE TABLE third (id bigint PRIMARY KEY, emb vector(2));"
        "CREATE INDEX ON third USING hnsw (emb vector_l2_ops)"
    );
    // The migration has an xid, which the new table's consistent point waits for; the stream does
    // not.
    server.exec("UPDATE steady SET emb = '[7,7,7]' WHERE id = 7");
    const storage::Lsn now = storage::parse_lsn(server.value("SELECT pg_current_wal_lsn()"));
    REQUIRE(wait_until([&] { return observer.position() >= now; }));
    CHECK(observer.table_rows("steady") == rows_in_postgres(server, "steady"));
    migration->exec("COMMIT");
    REQUIRE(joined(observer, "third"));
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    CHECK(observer.copies("late") == 1);
    CHECK(observer.interruptions() == 0);
}

TEST_CASE("Nobody waits for a table that waits for its turn", "[storage]") {
    const PostgresServer server;
    create_tables(server, 50);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    PostgresClient writer{server.dsn()};
    writer.exec("BEGIN; INSERT INTO steady VALUES (1000, '[1,2,3]')");
    index_late(server);
    REQUIRE(wait_until([&] {  // for the writer, to have a consistent point
        return server.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE_REPL%' "
                   "AND wait_event_type = 'Lock'"
               ) == "1";
    }));
    server.exec("SET lock_timeout = '30s'; TRUNCATE late; INSERT INTO late VALUES (1, NULL)");
    writer.exec("COMMIT");
    REQUIRE(joined(observer, "late"));
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    // What was read of the catalogue before the slot was of the table before the TRUNCATE.
    CHECK(observer.told("The table was changed while its copy began."));
    CHECK(observer.copies("late") == 2);
    CHECK(observer.copies("steady") == 1);
    CHECK(observer.interruptions() == 0);
}

TEST_CASE(
    "Killed while a table joins, it is complete in the end, and the others go on", "[storage]"
) {
    const PostgresServer server;
    create_tables(server, 6'000);
    {
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    index_late(server);
    const unsigned seed = new_seed();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    Writer writer{server, seed};
    for (int round = 0; round < 5; ++round) {
        run_and_kill(server, writer, random);
    }
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(joined(observer, "late"));
    writer.stop();
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    CHECK(observer.copies("steady") == 0);
    CHECK(server.value("SELECT count(*) FROM pg_replication_slots") == "1");
}
