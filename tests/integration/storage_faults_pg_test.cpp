#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

using namespace veer;
using namespace veer::tests;
using Catch::Matchers::ContainsSubstring;
using storage::sync::Phase;
using storage::sync::Syncer;

namespace {

void create_items(const PostgresServer& server, int rows) {
    server.exec(
        "CREATE TABLE items (id bigint PRIMARY KEY, emb vector(3));"
        "CREATE INDEX items_emb ON items USING hnsw (emb vector_l2_ops);"
        "INSERT INTO items SELECT i, ARRAY[i, i, 1]::vector FROM generate_series(1, " +
        std::to_string(rows) + ") i"
    );
}

/// Waits for a reason that contains `text`.
bool waits_because(const RecordingObserver& observer, const std::string& text) {
    return wait_until([&] {
        const auto status = observer.last_status();
        return status.phase == Phase::waiting && status.reason.find(text) != std::string::npos;
    });
}

}  // namespace

TEST_CASE(
    "Without wal_level=logical the reason says what to change, and a restart mends it", "[storage]"
) {
    PostgresServer server{{"wal_level = replica"}};
    create_items(server, 10);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(waits_because(observer, "set wal_level=logical and restart Postgres"));
    CHECK(observer.begins() == 0);
    server.configure("wal_level = logical");
    server.restart();
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items").size() == 10);
}

TEST_CASE("Each missing right is named with the statement that grants it", "[storage]") {
    const PostgresServer server;
    create_items(server, 10);
    server.exec("CREATE ROLE vee LOGIN; CREATE ROLE app; ALTER TABLE items OWNER TO app");
    RecordingObserver observer;
    Syncer syncer{options(server, "vee"), observer};
    syncer.start();
    REQUIRE(waits_because(observer, "ALTER ROLE vee REPLICATION;"));
    server.exec("ALTER ROLE vee REPLICATION");
    REQUIRE(waits_because(observer, "GRANT SELECT ON public.items TO vee;"));
    server.exec("GRANT SELECT ON items TO vee");
    REQUIRE(waits_because(observer, "let their owner run: CREATE PUBLICATION \"veer_"));
    const std::string reason = observer.last_status().reason;
    const auto from = reason.find("CREATE PUBLICATION");
    server.exec(reason.substr(from, reason.find(';', from) - from));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items").size() == 10);
}

TEST_CASE("Row-level security that hides rows refuses the table", "[storage]") {
    const PostgresServer server;
    create_items(server, 10);
    server.exec(
        "CREATE ROLE vee LOGIN REPLICATION; GRANT SELECT ON items TO vee;"
        "ALTER TABLE items ENABLE ROW LEVEL SECURITY"
    );
    RecordingObserver observer;
    Syncer syncer{options(server, "vee"), observer};
    syncer.start();
    CHECK(waits_because(observer, "ALTER ROLE vee BYPASSRLS;"));
}

TEST_CASE(
    "A server restart or crash in the middle loses nothing and copies nothing again", "[storage]"
) {
    PostgresServer server;
    create_items(server, 500);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    server.exec("UPDATE items SET emb = '[9,9,9]' WHERE id < 100");
    server.restart();
    server.exec("DELETE FROM items WHERE id > 400");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    server.exec("UPDATE items SET emb = '[8,8,8]' WHERE id < 50");
    server.stop_immediate();
    REQUIRE(waits_because(observer, "Postgres"));
    server.start();
    server.exec("INSERT INTO items VALUES (1000, '[1,2,3]')");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.copies() == 1);
    CHECK(observer.begins() == 1);
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("A stream that stands still is asked, given up and begun anew", "[storage]") {
    const PostgresServer server;
    create_items(server, 100);
    RecordingObserver observer;
    auto impatient = options(server);
    impatient.silence_max = std::chrono::seconds(1);
    Syncer syncer{impatient, observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const pid_t walsender = std::stoi(server.value("SELECT pid FROM pg_stat_replication"));
    REQUIRE(::kill(walsender, SIGSTOP) == 0);
    CHECK(wait_until([&] { return observer.told("said nothing"); }));
    REQUIRE(::kill(walsender, SIGCONT) == 0);
    server.exec("DELETE FROM items WHERE id > 50");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.copies() == 1);
}

TEST_CASE("A copy goes on when a server that died during it is back", "[storage]") {
    PostgresServer server;
    server.exec(
        "CREATE TABLE items (id bigint PRIMARY KEY, emb vector(3));"
        "CREATE INDEX items_emb ON items USING ivfflat (emb vector_l2_ops) WITH (lists = 1);"
        "INSERT INTO items SELECT i, ARRAY[i, i, 1]::vector FROM generate_series(1, 60000) i"
    );
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(wait_until([&] { return observer.last_status().rows_done > 0; }));
    server.stop_immediate();
    server.start();
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("A slot that is gone, or was moved by somebody, means another copy", "[storage]") {
    const PostgresServer server;
    create_items(server, 100);
    RecordingObserver observer;
    {
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    REQUIRE(no_slot_in_use(server));
    const std::string slot = server.value("SELECT slot_name FROM pg_replication_slots");
    server.exec("DELETE FROM items WHERE id = 1");
    SECTION("dropped") {
        server.exec("SELECT pg_drop_replication_slot('" + slot + "')");
    }
    SECTION("advanced past the change") {
        server.exec("SELECT pg_replication_slot_advance('" + slot + "', pg_current_wal_lsn())");
    }
    SECTION("dropped and made again") {
        server.exec("SELECT pg_drop_replication_slot('" + slot + "')");
        server.exec("SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");
    }
    SECTION("the publication left the table out for a while") {
        server.exec("ALTER PUBLICATION " + slot + " DROP TABLE items");
        server.exec("DELETE FROM items WHERE id = 2");
        server.exec("ALTER PUBLICATION " + slot + " ADD TABLE items");
    }
    RecordingObserver again;
    Syncer syncer{options(server), again};
    syncer.start();
    REQUIRE(caught_up(server, again));
    CHECK(again.copies() == 1);
    CHECK(again.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(server.value("SELECT count(*) FROM pg_replication_slots") == "1");
}

TEST_CASE("A slot dropped while streaming is noticed and replaced", "[storage]") {
    const PostgresServer server;
    create_items(server, 100);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    // The syncer may be back before the slot is dropped: then it is in use, and nothing was done.
    REQUIRE(wait_until([&] {
        try {
            server.exec(
                "SELECT pg_terminate_backend(active_pid, 2000) FROM pg_replication_slots;"
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;"
                "DELETE FROM items WHERE id = 1"
            );
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }));
    REQUIRE(wait_until([&] { return observer.copies() == 2; }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
}

TEST_CASE("A message that can never be read is copied around, not retried for ever", "[storage]") {
    const PostgresServer server;
    create_items(server, 100);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    // In this transaction's history bigint has no binary form: its keys come as text, for ever.
    server.exec(
        "BEGIN; UPDATE pg_type SET typsend = 0 WHERE typname = 'int8';"
        "INSERT INTO items VALUES (1000, '[1,2,3]');"
        "UPDATE pg_type SET typsend = 'int8send'::regproc WHERE typname = 'int8'; COMMIT"
    );
    REQUIRE(wait_until([&] { return observer.told("a key did not come in binary"); }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.copies() == 2);
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.table_rows("items").size() == 101);
    server.exec("DELETE FROM items WHERE id = 1");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items").size() == 100);
}

TEST_CASE(
    "A slot in use is taken back from an earlier self, and waited for from others", "[storage]"
) {
    const PostgresServer server;
    create_items(server, 100);
    {
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    server.exec("DELETE FROM items WHERE id = 1");
    REQUIRE(no_slot_in_use(server));
    const std::string slot = server.value("SELECT slot_name FROM pg_replication_slots");
    const auto hold = [&](const std::string& application_name) {
        PostgresClient holder{
            server.dsn() + " replication=database application_name=" + application_name};
        holder.exec(
            "START_REPLICATION SLOT " + slot +
            " LOGICAL 0/0 (proto_version '1', publication_names '" + slot + "')"
        );
        return holder;
    };
    RecordingObserver again;
    Syncer syncer{options(server), again};
    SECTION("an earlier self") {
        const PostgresClient zombie = hold(slot);
        syncer.start();
        REQUIRE(caught_up(server, again));
    }
    SECTION("somebody else") {
        std::optional<PostgresClient> other = hold("other");
        syncer.start();
        REQUIRE(waits_because(again, "is in use by another session"));
        other.reset();
        REQUIRE(caught_up(server, again));
    }
    CHECK(again.copies() == 0);
    CHECK(again.table_rows("items") == rows_in_postgres(server, "items"));
}

TEST_CASE(
    "A copy waits for an open writing transaction, and stop() does not wait for the copy",
    "[storage]"
) {
    const PostgresServer server;
    create_items(server, 100);
    std::optional<PostgresClient> writer{server.dsn()};
    writer->exec("BEGIN; INSERT INTO items VALUES (1000, '[1,2,3]')");
    RecordingObserver observer;
    const auto slot_pending = [&] {
        return server.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE_REPL%' "
                   "AND wait_event_type = 'Lock'"
               ) == "1";
    };
    {
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(wait_until(slot_pending));
        const auto begun = std::chrono::steady_clock::now();
        syncer.stop();  // the copy would wait for as long as the writer does
        CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{30});
    }
    RecordingObserver again;
    Syncer syncer{options(server), again};
    syncer.start();
    CHECK(wait_for_phase(again, Phase::copying));
    writer->exec("COMMIT");
    REQUIRE(caught_up(server, again));
    CHECK(again.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(again.table_rows("items").size() == 101);
    CHECK(server.value("SELECT count(*) FROM pg_replication_slots") == "1");
}

TEST_CASE("A directory that cannot be used is named until it can", "[storage]") {
    const PostgresServer server;
    create_items(server, 10);
    const std::string obstacle = store_directory(server);
    std::ofstream{obstacle} << "x";
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(waits_because(observer, obstacle));
    CHECK(std::filesystem::remove(obstacle));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items").size() == 10);
}
