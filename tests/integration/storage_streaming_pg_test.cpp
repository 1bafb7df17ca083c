#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <malloc.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <random>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/allocator_interface.h>
#define VEER_ADDRESS_SANITIZER
#endif
#endif

// Transactions that are larger than what the server keeps of them, and than what veer keeps in
// memory: they come before their commit, in pieces, wait on disk, and are applied part by part.

using namespace veer;
using namespace veer::tests;
using storage::sync::Syncer;
using storage::sync::SyncOptions;

namespace {

constexpr int many = 20'000;

/// A server that streams what others would still hold in memory.
struct Upstream : PostgresServer {
    Upstream() : PostgresServer{{"logical_decoding_work_mem = 64kB"}} {
        exec(
            "CREATE TABLE items (id bigint PRIMARY KEY, n int DEFAULT 0, emb vector(4));"
            "CREATE INDEX items_emb ON items USING hnsw (emb vector_l2_ops) WITH (m = 4, "
            "ef_construction = 8);"
            "CREATE TABLE long (id bigint PRIMARY KEY, n int DEFAULT 0, emb vector(768));"
            "CREATE INDEX long_emb ON long USING ivfflat (emb vector_l2_ops) WITH (lists = 1);"
            "INSERT INTO items SELECT i, 0, ARRAY[i, 1, 2, 3]::vector FROM generate_series(1, "
            "1000) i;"
            "INSERT INTO long SELECT i, 0, array_fill(i, ARRAY[768])::vector "
            "FROM generate_series(1, 50) i"
        );
    }

    std::string streamed() const {
        return value("SELECT sum(stream_txns) > 0 FROM pg_stat_replication_slots");
    }
};

/// What is beyond 128 kB goes to the disk.
SyncOptions small_memory(const PostgresServer& server) {
    SyncOptions made = options(server);
    made.transactions.memory_max = 128U << 10U;
    return made;
}

std::string insert(int from, int count, int value = 1) {
    return "INSERT INTO items SELECT i, 0, ARRAY[i % 1000, " + std::to_string(value) +
           ", 2, 3]::vector FROM generate_series(" + std::to_string(from) + ", " +
           std::to_string(from + count - 1) + ") i";
}

bool spills(const PostgresServer& server) {
    const std::filesystem::path directory{store_directory(server) + "/transactions"};
    std::error_code none;
    return std::filesystem::exists(directory) && !std::filesystem::is_empty(directory, none);
}

bool begins_to_spill(const PostgresServer& server) {
    return wait_until([&] { return spills(server); });
}

/// Bytes on the heap now.
std::size_t heap() {
#ifdef VEER_ADDRESS_SANITIZER
    return __sanitizer_get_current_allocated_bytes();
#else
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

/// Keeps nothing, and looks at the heap.
class Weigher : public storage::sync::Observer {
  public:
    void begin(const std::string& /*database*/, const std::vector<storage::Table>&) override {}

    void rows(storage::TableOid /*table*/, std::span<const storage::Row>) override {}

    void ready(storage::Lsn /*applied*/) override {}

    void part(std::span<const storage::Change> changes) override {
        parts += changes.size();
        most = std::max(most.load(), heap());
    }

    void apply(const storage::Transaction& transaction) override {
        most = std::max(most.load(), heap());
        position = transaction.end_lsn.value;
    }

    void applied(storage::Lsn lsn) override {
        most = std::max(most.load(), heap());
        position = lsn.value;
    }

    void status(const storage::sync::Status& status) override {
        most = std::max(most.load(), heap());
        streams = status.tables.size() == 2 &&
                  std::all_of(status.tables.begin(), status.tables.end(), [](const auto& table) {
                      return table.state == storage::sync::TableState::streaming;
                  });
    }

    std::atomic<std::size_t> parts = 0;
    std::atomic<std::size_t> most = 0;
    std::atomic<std::uint64_t> position = 0;
    std::atomic<bool> streams = false;
};

void check_equal(const PostgresServer& server, const RecordingObserver& observer) {
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.table_rows("long") == rows_in_postgres(server, "long"));
    CHECK(observer.violations() == std::vector<std::string>{});
}

/// As `veer verify` does it.
void check_verified(Syncer& syncer) {
    using Verdicts = std::vector<storage::sync::TableVerdict>;
    const auto answered = std::make_shared<std::promise<Verdicts>>();
    syncer.verify({}, [answered](Verdicts verdicts) { answered->set_value(std::move(verdicts)); });
    const Verdicts verdicts = answered->get_future().get();
    CHECK(verdicts.size() == 2);
    for (const auto& verdict : verdicts) {
        INFO(verdict.name);
        CHECK(verdict.trouble.empty());
        CHECK(verdict.differences == 0);
    }
}

void check_stored(const PostgresServer& server) {
    const std::string directory = store_directory(server);
    CHECK(rows_in_store(directory, "items") == rows_in_postgres(server, "items"));
    CHECK(rows_in_store(directory, "long") == rows_in_postgres(server, "long"));
}

/// Jobs that the server streams, and of which nothing is left for veer: it tells of them or not, as
/// much as it has of them in memory then.
std::string job_for_nobody(bool published) {
    return published ? "BEGIN; SAVEPOINT s; " + insert(10'001, 10'000) +
                           "; ROLLBACK TO s; INSERT INTO other VALUES (0); COMMIT"
                     : "INSERT INTO other SELECT generate_series(1, 10000)";
}

}  // namespace

TEST_CASE("A large transaction waits on disk, and is seen as a whole", "[storage]") {
    const Upstream server;
    RecordingObserver observer;
    {
        Syncer syncer{small_memory(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
        PostgresClient large{server.dsn()};
        large.exec("BEGIN");
        large.exec("UPDATE long SET n = n + 1");  // vectors out of line, unchanged
        large.exec(insert(10'001, many));
        large.exec("SAVEPOINT s; UPDATE items SET emb = '[7,7,7,7]'; DELETE FROM long");
        large.exec(insert(50'001, 500) + "; ROLLBACK TO s");
        large.exec("SAVEPOINT t; DELETE FROM items WHERE id BETWEEN 11 AND 20; RELEASE t");
        REQUIRE(begins_to_spill(server));

        server.exec(insert(2'001, 10));
        server.exec("UPDATE long SET emb = array_fill(9, ARRAY[768])::vector WHERE id = 0");
        REQUIRE(caught_up(server, observer));
        CHECK(observer.table_rows("items").size() == 1'010);
        check_equal(server, observer);

        large.exec("UPDATE items SET id = id + 1000000 WHERE id BETWEEN 12000 AND 12500");
        large.exec("UPDATE long SET id = id + 100, n = 5 WHERE id > 25");
        large.exec("UPDATE long SET n = 6 WHERE id > 125");
        large.exec("SAVEPOINT u; " + insert(2'000'001, 700) + "; ROLLBACK TO u");
        large.exec("COMMIT");
        REQUIRE(caught_up(server, observer));
        check_equal(server, observer);
        CHECK(observer.table_rows("items").size() == 1'000 + many);
        CHECK(server.streamed() == "t");
        CHECK_FALSE(spills(server));
        CHECK(observer.copies() == 1);
        CHECK(observer.begins() == 1);
        check_verified(syncer);
    }
    check_stored(server);
}

TEST_CASE("What is rolled back leaves nothing, however much has come of it", "[storage]") {
    const Upstream server;
    RecordingObserver observer;
    {
        Syncer syncer{small_memory(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
        PostgresClient large{server.dsn()};
        large.exec("BEGIN; TRUNCATE long");
        large.exec(insert(10'001, many));
        REQUIRE(begins_to_spill(server));
        large.exec("ROLLBACK");
        REQUIRE(wait_until([&] {
            server.exec("SELECT pg_logical_emit_message(true, 'test', '')");
            return !spills(server);
        }));
        REQUIRE(caught_up(server, observer));
        check_equal(server, observer);
        CHECK(observer.table_rows("items").size() == 1'000);
        CHECK(observer.copies() == 1);
        check_verified(syncer);
    }
    check_stored(server);
}

TEST_CASE("Several large transactions at once are told apart", "[storage]") {
    const Upstream server;
    RecordingObserver observer;
    {
        Syncer syncer{small_memory(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
        PostgresClient one{server.dsn()};
        PostgresClient two{server.dsn()};
        PostgresClient three{server.dsn()};
        for (PostgresClient* const client : {&one, &two, &three}) {
            client->exec("BEGIN");
        }
        for (int round = 0; round < 8; ++round) {
            const int from = 10'000 + round * 1'000;
            one.exec("SAVEPOINT s; " + insert(from, 900, 1));
            two.exec(insert(from + 100'000, 900, 2));
            three.exec("SAVEPOINT s; " + insert(from + 200'000, 900, 3));
            one.exec(round % 2 == 0 ? "ROLLBACK TO s" : "RELEASE s");
            server.exec(insert(from + 300'000, 20, 4));
        }
        REQUIRE(begins_to_spill(server));
        two.exec("COMMIT");
        three.exec("ROLLBACK");
        server.exec("UPDATE items SET emb = '[1,1,1,1]' WHERE id < 110000");
        one.exec("COMMIT");
        REQUIRE(caught_up(server, observer));
        check_equal(server, observer);
        CHECK(observer.table_rows("items").size() == 1'000 + 4 * 900 + 8 * 900 + 8 * 20);
        CHECK(observer.copies() == 1);
        CHECK(server.streamed() == "t");
        check_verified(syncer);
    }
    check_stored(server);
}

TEST_CASE("A large transaction may truncate, and change definitions", "[storage]") {
    const Upstream server;
    RecordingObserver observer;
    Syncer syncer{small_memory(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    PostgresClient large{server.dsn()};
    large.exec("BEGIN");
    large.exec(insert(10'001, many));
    SECTION("TRUNCATE, of both") {
        large.exec("TRUNCATE items, long; " + insert(1, 300));
        large.exec("SAVEPOINT s; " + insert(10'001, 5'000) + "; TRUNCATE items; ROLLBACK TO s");
        large.exec("COMMIT");
        REQUIRE(caught_up(server, observer));
        CHECK(observer.table_rows("items").size() == 300);
        CHECK(observer.copies() == 1);
    }
    SECTION("a column that nobody copies") {
        large.exec("ALTER TABLE items ADD COLUMN note text DEFAULT 'x'; " + insert(40'001, 5'000));
        large.exec("COMMIT; " + insert(60'001, 10));
        REQUIRE(caught_up(server, observer));
        CHECK(observer.copies() == 1);
    }
    SECTION("another definition that is rolled back") {
        large.exec(
            "SAVEPOINT s; ALTER TABLE items ALTER COLUMN emb TYPE vector(5) USING "
            "array_fill(1, ARRAY[5])::vector;"
            "INSERT INTO items SELECT i, 0, array_fill(i, ARRAY[5])::vector FROM "
            "generate_series(50001, 55000) i; ROLLBACK TO s; " +
            insert(60'001, 2'000)
        );
        large.exec("COMMIT");
        REQUIRE(caught_up(server, observer));
        CHECK(observer.copies() == 1);
    }
    SECTION("another definition: the table is copied again, the other is not") {
        large.exec("UPDATE long SET n = 3");
        large.exec(
            "ALTER TABLE items ALTER COLUMN emb TYPE vector(4) USING "
            "array_fill(1, ARRAY[4])::vector; " +
            insert(60'001, 2'000)
        );
        large.exec("COMMIT");
        REQUIRE(wait_until([&] { return observer.copies("items") == 2; }));
        REQUIRE(caught_up(server, observer));
        CHECK(observer.copies("long") == 1);
    }
    check_equal(server, observer);
    check_verified(syncer);
}

TEST_CASE("Beyond its room on disk a transaction's tables are copied again", "[storage]") {
    const Upstream server;
    SyncOptions bounded = small_memory(server);
    RecordingObserver observer;
    SECTION("with some room") {
        bounded.transactions.disk_max = 1U << 20U;
    }
    SECTION("with none, and all of it in memory") {
        bounded.transactions.disk_max = 0;
    }
    Syncer syncer{bounded, observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const bool fits = bounded.transactions.disk_max == 0;  // in half a gigabyte
    server.exec("BEGIN; " + insert(10'001, many) + "; UPDATE items SET n = 1; COMMIT");
    REQUIRE(wait_until([&] { return fits || observer.copies("items") == 2; }));
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    CHECK(observer.told("which [sync] streamed_max allows") != fits);
    CHECK(observer.copies("items") == (fits ? 1 : 2));
    CHECK(observer.copies("long") == 1);
    CHECK((server.streamed() == "t") != fits);
    CHECK_FALSE(spills(server));
    check_verified(syncer);
}

TEST_CASE("Who is killed amid large transactions applies each once", "[storage]") {
    const Upstream server;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    {
        RecordingObserver observer;
        Syncer syncer{small_memory(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    for (int round = 0; round < 6; ++round) {
        const pid_t child = spawn_syncer(small_memory(server));
        REQUIRE(child > 0);
        PostgresClient large{server.dsn()};
        large.exec("BEGIN; UPDATE items SET id = -id; UPDATE long SET id = -id, n = n + 1");
        large.exec(insert(10'001 + round * 10'000, 6'000));
        large.exec("SAVEPOINT s; DELETE FROM items; ROLLBACK TO s");
        const bool streams = begins_to_spill(server);
        CHECK(streams);
        if (round % 3 != 0) {
            large.exec(round % 3 == 1 ? "COMMIT" : "COMMIT; " + insert(900'001 + round * 10, 5));
        }
        for (auto left = round % 3 == 1 ? random() % 40 : 0; left > 0; --left) {
            server.exec("UPDATE long SET n = n + 1 WHERE id = -1");  // meanwhile it is applied
        }
        kill(child, SIGKILL);
        CHECK(waitpid(child, nullptr, 0) == child);
        if (round % 3 == 0) {
            large.exec(round == 0 ? "COMMIT" : "ROLLBACK");
        }
    }
    RecordingObserver observer;
    {
        Syncer syncer{small_memory(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
        check_equal(server, observer);
        CHECK(observer.copies() == 0);
        CHECK_FALSE(spills(server));
        check_verified(syncer);
    }
    check_stored(server);
}

TEST_CASE("A large transaction of which nothing is left shows no history", "[storage]") {
    const Upstream server;
    server.exec("CREATE TABLE other (id bigint)");
    const bool published = GENERATE(false, true);
    const auto follow = [&](int copies, const auto& meanwhile) {
        RecordingObserver observer;
        {
            Syncer syncer{small_memory(server), observer};
            syncer.start();
            REQUIRE(caught_up(server, observer));
            meanwhile(observer);
            REQUIRE(caught_up(server, observer));
        }
        CHECK_FALSE(observer.told("another history"));
        CHECK(observer.copies() == copies);
        check_equal(server, observer);
        REQUIRE(no_slot_in_use(server));
    };
    const auto run_job = [&](const RecordingObserver& /*observer*/) {
        server.exec(job_for_nobody(published));
    };
    const auto write = [&](const RecordingObserver& /*observer*/) {
        server.exec("INSERT INTO long VALUES (1000, 0, array_fill(1, ARRAY[768])::vector)");
    };
    SECTION("veer starts anew") {
        follow(1, run_job);
        follow(0, write);
    }
    SECTION("the connection is lost") {
        follow(1, [&](const RecordingObserver& observer) {
            run_job(observer);
            REQUIRE(caught_up(server, observer));
            const int before = observer.interruptions();
            server.exec("SELECT pg_terminate_backend(active_pid, 2000) FROM pg_replication_slots");
            REQUIRE(wait_until([&] { return observer.interruptions() > before; }));
            write(observer);
        });
    }
    SECTION("it ran while veer was away") {
        follow(1, write);
        server.exec(job_for_nobody(published));
        follow(0, run_job);
        follow(0, [](const RecordingObserver& /*observer*/) {});
    }
    CHECK(server.streamed() == "t");
    check_stored(server);
}

TEST_CASE("A large transaction takes no more memory than the store does", "[storage]") {
    constexpr std::size_t rows = 60'000;  // of 3 kB
    constexpr std::size_t megabyte = 1U << 20U;
    const Upstream server;
    Weigher observer;
    SyncOptions bounded = options(server);
    bounded.transactions.memory_max = 8 * megabyte;
    Syncer syncer{bounded, observer};
    syncer.start();
    REQUIRE(wait_until([&] { return observer.streams.load(); }));
    const std::size_t before = heap();
    PostgresClient large{server.dsn()};
    large.exec(
        "BEGIN; INSERT INTO long SELECT i, 0, array_fill(i, ARRAY[768])::vector FROM "
        "generate_series(1000, " +
        std::to_string(999 + rows) + ") i"
    );
    REQUIRE(begins_to_spill(server));
    large.exec("COMMIT");
    const auto end = storage::parse_lsn(server.value("SELECT pg_current_wal_lsn()")).value;
    server.exec("SELECT pg_logical_emit_message(true, 'test', '')");
    while (observer.parts < rows) {  // as long as it goes on
        const std::size_t parts = observer.parts;
        REQUIRE(wait_until([&] { return observer.parts > parts; }));
    }
    REQUIRE(wait_until([&] { return observer.position >= end; }));
    const std::size_t grown = observer.most - std::min<std::size_t>(before, observer.most);
    INFO("the heap grew by " << grown / megabyte << " MB");
    // Most of it is what the store keeps of rows that were not flushed. A transaction in memory is
    // there twice: as it came, and as a batch.
    CHECK(grown < 120 * megabyte);
    CHECK(observer.parts == rows);
    CHECK(rows * 768 * sizeof(float) > 120 * megabyte);
}

TEST_CASE("A transaction of a million rows is bounded by the store, however many", "[storage]") {
    constexpr std::size_t megabyte = 1U << 20U;
    const bool nightly = std::getenv("VEER_NIGHTLY") != nullptr;
    const std::size_t rows = nightly ? 1'000'000 : 50'000;  // each comes, and changes
    const Upstream server;
    server.exec(  // Postgres' own index is not what is waited for
        "DROP INDEX items_emb;"
        "CREATE INDEX items_emb ON items USING ivfflat (emb vector_l2_ops) WITH (lists = 1)"
    );
    Weigher observer;
    SyncOptions bounded = options(server);
    bounded.transactions.memory_max = 8 * megabyte;
    Syncer syncer{bounded, observer};
    syncer.start();
    REQUIRE(wait_until([&] { return observer.streams.load(); }));
    const std::size_t before = heap();
    server.exec(
        "BEGIN; " + insert(10'001, static_cast<int>(rows)) +
        "; UPDATE items SET emb = ARRAY[id % 777, 5, 6, 7]::int[]::vector WHERE id > 10000; COMMIT"
    );
    const auto end = storage::parse_lsn(server.value("SELECT pg_current_wal_lsn()")).value;
    server.exec("SELECT pg_logical_emit_message(true, 'test', '')");
    while (observer.parts < 2 * rows) {  // as long as it goes on
        const std::size_t parts = observer.parts;
        REQUIRE(wait_until([&] { return observer.parts > parts; }));
    }
    REQUIRE(wait_until([&] { return observer.position >= end; }));
    const std::size_t grown = observer.most - std::min<std::size_t>(before, observer.most);
    if (nightly) {  // to be seen in its log; so few rows would find room, whoever held them
        WARN(rows << " rows: the heap grew by " << grown / megabyte << " MB");
        CHECK(grown < 120 * megabyte);
    }
    CHECK(observer.parts == 2 * rows);
    CHECK(server.streamed() == "t");
    check_verified(syncer);
}
