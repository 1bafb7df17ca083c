#include "storage/source/connection.hpp"
#include "storage/source/slot.hpp"
#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <condition_variable>
#include <optional>

using namespace veer;
using namespace veer::tests;
using storage::sync::Phase;
using storage::sync::Syncer;
using storage::sync::SyncOptions;

namespace {

constexpr std::uint64_t megabyte = 1U << 20U;

void create_items(const PostgresServer& server) {
    server.exec(
        "CREATE TABLE items (id bigint PRIMARY KEY, emb vector(3));"
        "CREATE INDEX items_emb ON items USING hnsw (emb vector_l2_ops);"
        "INSERT INTO items SELECT i, ARRAY[i, i, 1]::vector FROM generate_series(1, 100) i"
    );
}

void write_wal(const PostgresServer& server, int megabytes) {
    server.exec(
        "SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1 << 20)) "
        "FROM generate_series(1, " +
        std::to_string(megabytes) + ")"
    );
}

SyncOptions bounded(const PostgresServer& server, std::uint64_t megabytes) {
    SyncOptions made = options(server);
    made.wal_keep_max = megabytes * megabyte;
    return made;
}

bool says(const RecordingObserver& observer, const std::string& text) {
    return wait_until([&] { return observer.last_status().reason.find(text) != std::string::npos; }
    );
}

std::string slots(const PostgresServer& server) {
    return server.value("SELECT count(*) FROM pg_replication_slots");
}

/// An index that takes its time: apply() returns once the test lets it.
class SlowObserver : public RecordingObserver {
  public:
    void apply(const storage::Transaction& transaction) override {
        {
            std::unique_lock lock{mutex_};
            waiting_ = !open_;
            changed_.wait(lock, [this] { return open_; });
            waiting_ = false;
        }
        RecordingObserver::apply(transaction);
    }

    void open(bool open) {
        const std::scoped_lock lock{mutex_};
        open_ = open;
        changed_.notify_all();
    }

    bool waiting() const {
        const std::scoped_lock lock{mutex_};
        return waiting_;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    bool waiting_ = false;
};

}  // namespace

TEST_CASE(
    "WAL held by an open transaction: a warning at a half, no slot at the bound", "[storage]"
) {
    const PostgresServer server;
    create_items(server);
    RecordingObserver observer;
    Syncer syncer{bounded(server, 24), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    std::optional<PostgresClient> writer{server.dsn()};
    writer->exec("BEGIN; INSERT INTO items VALUES (1000, '[1,2,3]')");
    write_wal(server, 16);
    REQUIRE(says(observer, "veer is up to date, but a transaction is open that began back there"));
    CHECK(observer.last_status().phase == Phase::streaming);
    CHECK(observer.copies() == 1);
    write_wal(server, 16);
    REQUIRE(says(observer, "more than [sync] wal_keep_max = 24 MiB"));
    writer->exec("COMMIT");
    REQUIRE(wait_until([&] { return observer.copies() == 2; }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.table_rows("items").size() == 101);
    CHECK(slots(server) == "1");
    CHECK(observer.last_status().reason.empty());
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("An index that takes nothing more does not fill the disk of Postgres", "[storage]") {
    const PostgresServer server;
    create_items(server);
    SlowObserver observer;
    Syncer syncer{bounded(server, 24), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    observer.open(false);
    server.exec("UPDATE items SET emb = '[9,9,9]' WHERE id = 1");
    REQUIRE(wait_until([&] { return observer.waiting(); }));
    write_wal(server, 32);
    CHECK(wait_until([&] { return slots(server) == "0"; }));
    server.exec("DELETE FROM items WHERE id = 2");
    observer.open(true);
    REQUIRE(wait_until([&] { return observer.copies() == 2; }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(slots(server) == "1");
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("What a stopped veer left behind is weighed at its start", "[storage]") {
    const PostgresServer server{{"min_wal_size = 32MB", "max_wal_size = 48MB"}};
    create_items(server);
    {
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    REQUIRE(no_slot_in_use(server));
    server.exec("DELETE FROM items WHERE id = 1");
    std::string reason;
    SECTION("the slot that Postgres gave up") {
        server.configure("max_slot_wal_keep_size = 1MB");
        server.exec("SELECT pg_reload_conf()");
        write_wal(server, 32);
        REQUIRE(wait_until([&] {  // the checkpointer may read its configuration later
            server.exec("SELECT pg_switch_wal(); CHECKPOINT");
            return server.value("SELECT wal_status FROM pg_replication_slots") == "lost";
        }));
        reason = "it held back more WAL than max_slot_wal_keep_size = 1MB allows";
    }
    SECTION("the slot that is gone") {
        server.exec("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        reason = "is gone";
    }
    std::optional<PostgresClient> writer{server.dsn()};
    writer->exec("BEGIN; INSERT INTO items VALUES (1000, '[1,2,3]')");  // holds the copy up
    RecordingObserver again;
    Syncer syncer{options(server), again};
    syncer.start();
    CHECK(says(again, reason));
    CHECK(again.last_status().phase == Phase::copying);
    writer->exec("COMMIT");
    REQUIRE(caught_up(server, again));
    CHECK(again.copies() == 1);
    CHECK(again.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(slots(server) == "1");
}

TEST_CASE("A temporary slot that is there already is no reason to give a copy up", "[storage]") {
    const PostgresServer server;
    const auto connect = [&] {
        return storage::source::Connection::open({server.dsn(), "veer_test", true});
    };
    auto one = connect();
    auto other = connect();
    REQUIRE(one.has_value());
    REQUIRE(other.has_value());
    REQUIRE(storage::source::create_temporary_slot(*one, "veer_join").has_value());
    const auto refused = storage::source::create_temporary_slot(*other, "veer_join");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == storage::Errc::connection);
}
