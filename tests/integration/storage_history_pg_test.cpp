#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace veer;
using namespace veer::tests;
using storage::sync::Phase;
using storage::sync::Syncer;

namespace {

namespace fs = std::filesystem;

void create_items(const PostgresServer& server) {
    server.exec(
        "CREATE TABLE items (id bigint PRIMARY KEY, emb vector(3));"
        "CREATE TABLE other (id bigint);"
        "CREATE INDEX items_emb ON items USING hnsw (emb vector_l2_ops);"
        "INSERT INTO items SELECT i, ARRAY[i, i, 1]::vector FROM generate_series(1, 100) i"
    );
}

void copy_data(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    const std::string command = "cp -a " + from.string() + " " + to.string();
    REQUIRE(std::system(command.c_str()) == 0);  // with owners, which std::filesystem loses
}

fs::path data(const PostgresServer& server) {
    return server.directory() / "data";
}

fs::path backup(const PostgresServer& server) {
    return server.directory() / "backup";
}

/// Lets a syncer follow until it has everything, with a transaction from the stream, and stops it.
void follow(const PostgresServer& server) {
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    server.exec("UPDATE items SET emb = emb WHERE id = 1");
    REQUIRE(caught_up(server, observer));
}

/// Puts the server back to its backup: under the same name and port, slot and all.
void restore(PostgresServer& server) {
    server.stop();
    copy_data(backup(server), data(server));
}

void promote(PostgresServer& server) {
    std::ofstream{data(server) / "standby.signal"} << "";
    server.start();
    server.exec("SELECT pg_promote()");
}

}  // namespace

TEST_CASE("An upstream put back to a backup is copied again", "[storage]") {
    PostgresServer server;
    create_items(server);
    follow(server);
    server.stop();
    copy_data(data(server), backup(server));
    server.start();
    server.exec("UPDATE items SET emb = '[9,9,9]' WHERE id <= 50; DELETE FROM items WHERE id > 90");
    follow(server);
    restore(server);
    server.start();
    std::string reason;
    SECTION("and is behind") {
        reason = "log ends at";
    }
    SECTION("and has gone on elsewhere, past the copy's position") {
        server.exec("INSERT INTO other SELECT i FROM generate_series(1, 20000) i");
        reason = "has another history than the copy";
    }
    SECTION("and has gone on with the table, past the copy's position") {
        server.exec("UPDATE items SET emb = '[7,7,7]'");
        server.exec("INSERT INTO other SELECT i FROM generate_series(1, 20000) i");
        reason = "has another history than the copy";
    }
    RecordingObserver again;
    Syncer syncer{options(server), again};
    syncer.start();
    REQUIRE(wait_until([&] { return again.copies() == 1; }));
    REQUIRE(caught_up(server, again));
    CHECK(again.told(reason));
    CHECK(again.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(again.violations().empty());
}

TEST_CASE("A backup put back under a running syncer is never served as what it was", "[storage]") {
    PostgresServer server;
    create_items(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    server.stop();  // ends, though a slot is held back at its landmark
    copy_data(data(server), backup(server));
    server.start();
    server.exec("UPDATE items SET emb = '[9,9,9]'");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.copies() == 1);
    restore(server);
    server.start();
    REQUIRE(wait_until([&] { return observer.copies() == 2; }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("After a failover the copy goes on where the standby had everything", "[storage]") {
    PostgresServer server;
    create_items(server);
    follow(server);
    server.stop();
    copy_data(data(server), backup(server));  // the standby: with its slot, as Patroni keeps it
    bool lost = false;
    SECTION("nothing was lost") {}
    SECTION("the standby was behind") {
        server.start();
        server.exec("UPDATE items SET emb = '[9,9,9]' WHERE id <= 50");
        follow(server);
        server.stop();
        lost = true;
    }
    copy_data(backup(server), data(server));
    promote(server);
    REQUIRE(wait_until([&] { return server.value("SELECT pg_is_in_recovery()") == "f"; }));
    server.exec("INSERT INTO other SELECT i FROM generate_series(1, 20000) i");
    server.exec("DELETE FROM items WHERE id = 100");
    RecordingObserver again;
    Syncer syncer{options(server), again};
    syncer.start();
    REQUIRE(caught_up(server, again));
    CHECK(again.copies() == (lost ? 1 : 0));
    CHECK(again.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(again.violations().empty());
}

TEST_CASE("Another cluster at the same address is copied", "[storage]") {
    PostgresServer server;
    const PostgresServer other;
    create_items(server);
    create_items(other);
    follow(server);
    other.exec("DELETE FROM items WHERE id < 10");
    RecordingObserver again;
    auto elsewhere = options(other);
    elsewhere.directory = store_directory(server);
    Syncer syncer{elsewhere, again};
    syncer.start();
    REQUIRE(caught_up(other, again));
    CHECK(again.copies() == 1);
    CHECK(again.told("another Postgres cluster"));
    CHECK(again.table_rows("items") == rows_in_postgres(other, "items"));
}
