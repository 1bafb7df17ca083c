#include "storage/sync/catalogue_watch.hpp"
#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

// What becomes of veer's publication, and of the tables that come into it and leave it.

using namespace veer;
using namespace veer::tests;
using storage::sync::CatalogueWatch;
using storage::sync::Syncer;
using storage::sync::TableState;

namespace {

void create_table(const PostgresServer& server, const std::string& name) {
    server.exec(
        "CREATE TABLE " + name + " (id bigint PRIMARY KEY, emb vector(3));" + "CREATE INDEX " +
        name + "_emb ON " + name + " USING hnsw (emb vector_l2_ops); INSERT INTO " + name +
        " SELECT i, ARRAY[i, i, 1]::vector FROM generate_series(1, 50) i"
    );
}

std::string published(const PostgresServer& server) {
    return server.value(
        "SELECT coalesce(string_agg(prrelid::regclass::text, ',' ORDER BY 1), '') "
        "FROM pg_publication_rel"
    );
}

bool publishes_only(const PostgresServer& server, const std::string& tables) {
    return wait_until([&] { return published(server) == tables; });
}

/// Veer waits for a lock to take a table out.
bool leaving(const PostgresServer& server) {
    return server.value(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%DROP TABLE ONLY%' "
               "AND application_name LIKE 'veer_%' AND wait_event_type = 'Lock'"
           ) != "0";
}

bool waits_because(const RecordingObserver& observer, const std::string& table, const char* why) {
    return wait_until([&] {
        const auto status = observer.table_status(table);
        return status.state == TableState::refused && status.reason.find(why) != std::string::npos;
    });
}

/// `stuck` loses its index and its key, and from that moment on somebody has a lock that keeps it
/// in the publication.
PostgresClient lose_key_and_lock(const PostgresServer& server, const std::string& stuck) {
    PostgresClient migration{server.dsn()};
    migration.exec(
        "BEGIN; DROP INDEX " + stuck + "_emb; ALTER TABLE " + stuck + " DROP CONSTRAINT " + stuck +
        "_pkey"
    );
    PostgresClient holder{server.dsn()};
    std::thread queued{[&] {
        holder.exec("BEGIN; LOCK TABLE " + stuck + " IN SHARE UPDATE EXCLUSIVE MODE");
    }};
    const bool waits = wait_until([&] {
        return server.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE%' "
                   "AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
               ) == "1";
    });
    migration.exec("COMMIT");
    queued.join();
    CHECK(waits);
    return holder;
}

/// Holds a table's copy up, once it is read.
class HeldObserver : public RecordingObserver {
  public:
    void rows(storage::TableOid table, std::span<const storage::Row> rows) override {
        {
            std::unique_lock lock{mutex_};
            held_ = !open_;
            changed_.wait(lock, [this] { return open_; });
            held_ = false;
        }
        RecordingObserver::rows(table, rows);
    }

    void open(bool open) {
        const std::scoped_lock lock{mutex_};
        open_ = open;
        changed_.notify_all();
    }

    bool held() const {
        const std::scoped_lock lock{mutex_};
        return held_;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    bool held_ = false;
};

}  // namespace

TEST_CASE("A table that was out of the publication while it was copied joins again", "[storage]") {
    const PostgresServer server;
    create_table(server, "steady");
    HeldObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const std::string name = server.value("SELECT pubname FROM pg_publication");
    observer.open(false);
    create_table(server, "late");
    REQUIRE(wait_until([&] { return observer.held(); }));
    server.exec(
        "ALTER PUBLICATION " + name + " DROP TABLE late; DELETE FROM late WHERE id = 1;" +
        "ALTER PUBLICATION " + name + " ADD TABLE late"
    );
    // Of the view that has this one, the syncer has seen what became of the publication, too.
    create_table(server, "third");
    REQUIRE(wait_until([&] { return !observer.table_status("third").name.empty(); }));
    observer.open(true);
    REQUIRE(caught_up(server, observer));
    CHECK(observer.told("was out of the publication"));
    CHECK(observer.table_rows("late") == rows_in_postgres(server, "late"));
    CHECK(observer.copies("steady") == 1);
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("What the watch has told it tells again where somebody asks", "[storage]") {
    const PostgresServer server;
    create_table(server, "items");
    server.exec("CREATE PUBLICATION watched FOR TABLE items");
    CatalogueWatch watch{
        {server.dsn(), "veer_watch"}, "watched", {}, std::chrono::milliseconds{10}};
    REQUIRE(wait_until([&] { return watch.take_view().has_value(); }));
    watch.tell_again();
    std::optional<storage::sync::CatalogueView> view;
    REQUIRE(wait_until([&] { return (view = watch.take_view()).has_value(); }));
    CHECK(view->publication.size() == 1);
}

TEST_CASE("A table is published until the stream has taken a view without it", "[storage]") {
    const PostgresServer server;
    create_table(server, "items");
    create_table(server, "late");
    server.exec("CREATE PUBLICATION watched FOR TABLE items, late");
    CatalogueWatch watch{
        {server.dsn(), "veer_watch"},
        "watched",
        {},
        std::chrono::milliseconds{10},
        std::chrono::hours{1}};
    REQUIRE(wait_until([&] { return watch.take_view().has_value(); }));
    watch.taken();
    server.exec("DROP INDEX late_emb");
    std::optional<storage::sync::CatalogueView> view;
    REQUIRE(wait_until([&] { return (view = watch.take_view()).has_value(); }));
    CHECK(view->catalogue.tables.size() == 1);
    create_table(server, "third");
    REQUIRE(wait_until([&] { return watch.take_view().has_value(); }));  // of a later look
    CHECK(published(server) == "items,late");
    watch.taken();
    CHECK(publishes_only(server, "items"));
}

TEST_CASE("A table without a key leaves the publication, however long it takes", "[storage]") {
    const PostgresServer server;
    for (const char* const table : {"a", "b", "c"}) {
        create_table(server, table);
    }
    RecordingObserver observer;
    std::optional<Syncer> syncer;
    syncer.emplace(options(server), observer);
    syncer->start();
    REQUIRE(caught_up(server, observer));
    REQUIRE(published(server) == "a,b,c");
    std::optional<PostgresClient> holder{lose_key_and_lock(server, "a")};
    REQUIRE(wait_until([&] { return leaving(server); }));
    REQUIRE(wait_until([&] { return !leaving(server); }));  // in vain
    CHECK(published(server) == "a,b,c");
    SECTION("a lock of somebody") {
        server.exec("DROP INDEX c_emb");
        CHECK(publishes_only(server, "a,b"));  // no other waits for it
        holder.reset();
    }
    SECTION("and a restart") {
        syncer.reset();
        holder.reset();
        syncer.emplace(options(server), observer);
        syncer->start();
        server.exec("DROP INDEX c_emb");
    }
    CHECK(publishes_only(server, "b"));
    server.exec("UPDATE a SET emb = '[1,1,1]'");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("b") == rows_in_postgres(server, "b"));
    CHECK(observer.copies("b") == 1);
}

TEST_CASE("A table without rights does not keep the others from the start", "[storage]") {
    const PostgresServer server;
    create_table(server, "mine");
    create_table(server, "foreign_one");
    server.exec(
        "CREATE ROLE vee LOGIN REPLICATION; GRANT SELECT ON mine, foreign_one TO vee;"
        "GRANT CREATE ON DATABASE postgres TO vee; ALTER TABLE mine OWNER TO vee"
    );
    RecordingObserver observer;
    Syncer syncer{options(server, "vee"), observer};
    syncer.start();
    REQUIRE(waits_because(observer, "foreign_one", "let their owner run: ALTER PUBLICATION"));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("mine") == rows_in_postgres(server, "mine"));
    server.exec("ALTER TABLE foreign_one OWNER TO vee");
    REQUIRE(wait_until([&] {
        return observer.table_status("foreign_one").state == TableState::streaming;
    }));
    CHECK(observer.table_rows("foreign_one") == rows_in_postgres(server, "foreign_one"));
    CHECK(observer.copies("mine") == 1);
    CHECK(observer.interruptions() == 0);
}

TEST_CASE("Time limits of the role do not end a copy", "[storage]") {
    const PostgresServer server;
    create_table(server, "items");
    server.exec(
        "CREATE ROLE vee LOGIN SUPERUSER; ALTER ROLE vee SET statement_timeout = '500ms';"
        "ALTER ROLE vee SET idle_in_transaction_session_timeout = '500ms';"
        "ALTER ROLE vee SET idle_session_timeout = '500ms'"
    );
    RecordingObserver observer;
    storage::sync::SyncOptions slowly = options(server, "vee");
    slowly.copy.bytes_per_second = 500;  // some seconds, in one transaction
    Syncer syncer{slowly, observer};
    syncer.start();
    REQUIRE(wait_until([&] {
        return server.value(
                   "SELECT count(*) FROM pg_stat_activity "
                   "WHERE usename = 'vee' AND now() - xact_start > '1s'"
               ) != "0";
    }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items").size() == 50);
    CHECK(observer.copies("items") == 1);
    CHECK(observer.interruptions() == 0);
}
