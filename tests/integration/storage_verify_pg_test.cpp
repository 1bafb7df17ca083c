#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <future>
#include <random>
#include <thread>

// Tables are compared with their copies while both change; what differs is found, named, repaired.

using namespace veer;
using namespace veer::tests;
using storage::sync::Syncer;
using storage::sync::TableVerdict;
using storage::sync::VerifyRequest;

namespace {

using Texts = std::vector<std::string>;

std::future<std::vector<TableVerdict>> ask(Syncer& syncer, const VerifyRequest& request) {
    auto answered = std::make_shared<std::promise<std::vector<TableVerdict>>>();
    syncer.verify(request, [answered](std::vector<TableVerdict> verdicts) {
        answered->set_value(std::move(verdicts));
    });
    return answered->get_future();
}

std::vector<TableVerdict> verify(Syncer& syncer, const VerifyRequest& request = {}) {
    return ask(syncer, request).get();
}

/// Changes the copy behind the syncer's back, which must be stopped.
class Vandal {
  public:
    explicit Vandal(const PostgresServer& server)
        : store_{storage::store::Store::open(store_directory(server)).value()},
          state_{store_.state().value().value()} {}

    storage::TableOid oid(const std::string& name) const {
        for (const storage::Table& table : state_.tables) {
            if (table.name == name) {
                return table.oid;
            }
        }
        return {};
    }

    void change(const storage::Change& change) {
        store_.write(std::vector{change}, state_.applied).value();
    }

  private:
    storage::store::Store store_;
    storage::store::SyncState state_;
};

storage::RowKey bigint_key(std::int64_t id) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes.push_back(
            static_cast<char>(static_cast<std::uint64_t>(id) >> static_cast<unsigned>(shift))
        );
    }
    storage::RowKey key;
    storage::append_key_column(key, bytes);
    return key;
}

/// Enough rows for some ranges, on both sides of zero; every fifth vector is NULL.
void create_items(const PostgresServer& server, int rows) {
    const std::string last = std::to_string(rows / 2);
    server.exec(
        "CREATE TABLE items (id bigint PRIMARY KEY, emb vector(3), n int DEFAULT 0);"
        "CREATE INDEX items_emb ON items USING ivfflat (emb vector_l2_ops) WITH (lists = 1);"
        "INSERT INTO items SELECT i, CASE WHEN i % 5 <> 0 THEN ARRAY[i, 1, 2]::vector END "
        "FROM generate_series(-" +
        last + ", " + last + " - 1) i"
    );
}

/// One random transaction: a row goes, one comes or changes, one is as it was.
std::string random_transaction(std::mt19937& random) {
    const std::string gone = std::to_string(static_cast<int>(random() % 12'000) - 6'000);
    const std::string id = std::to_string(static_cast<int>(random() % 12'000) - 6'000);
    std::string sql = "BEGIN; DELETE FROM items WHERE id = ";
    sql.append(gone).append("; INSERT INTO items VALUES (").append(id).append(", '[1,");
    sql.append(id).append(",2]') ON CONFLICT (id) DO UPDATE SET emb = excluded.emb; COMMIT;");
    return sql.append("UPDATE items SET n = n + 1 WHERE id = ").append(id);
}

/// Writes from a thread of its own, for as long as it lives, no faster than the stream follows.
class Writer {
  public:
    Writer(const PostgresServer& server, const RecordingObserver& observer, unsigned seed) {
        thread_ = std::thread{[this, &observer, dsn = server.dsn(), seed] {
            std::mt19937 random{seed};
            PostgresClient client{dsn};
            while (!stop_) {
                client.exec(random_transaction(random));
                const auto lsn = storage::parse_lsn(client.value("SELECT pg_current_wal_lsn()"));
                if (++written_ % 10 == 0) {
                    wait_until([&] { return stop_ || observer.position() >= lsn; });
                }
            }
        }};
    }

    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    ~Writer() {
        stop_ = true;
        thread_.join();
    }

    int written() const { return written_; }

  private:
    std::atomic<bool> stop_ = false;
    std::atomic<int> written_ = 0;
    std::thread thread_;
};

void check_while_written(Syncer& syncer, const Writer& writer) {
    const int before = writer.written();
    const auto verdicts = verify(syncer);
    REQUIRE(verdicts.size() == 1);
    INFO(verdicts.front().trouble);
    CHECK(verdicts.front().trouble.empty());
    CHECK(verdicts.front().named.empty());
    CHECK(verdicts.front().differences == 0);
    CHECK(verdicts.front().rows > 5'000);
    CHECK(wait_until([&] { return writer.written() > before; }));
}

bool slot_waits_for_a_writer(const PostgresServer& server) {
    return wait_until([&] {
        return server.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE_REPL%' "
                   "AND wait_event_type = 'Lock'"
               ) == "1";
    });
}

/// A row of `items` as the store has it; `n` is 0.
storage::Row item(std::int64_t id, std::vector<float> emb) {
    const std::string key = bigint_key(id);
    return {key, {std::move(emb)}, {key.substr(sizeof(std::uint32_t)), std::string(4, '\0')}};
}

/// Loses, alters and makes up rows: what verdicts say of it.
Texts vandalise(const PostgresServer& server, int made_up) {
    Vandal vandal{server};
    const storage::TableOid items = vandal.oid("items");
    vandal.change(storage::Delete{items, bigint_key(1)});
    vandal.change(storage::Delete{items, bigint_key(-4'321)});
    vandal.change(storage::Upsert{items, std::nullopt, item(2, {7, 7, 7})});
    vandal.change(storage::Upsert{items, std::nullopt, item(5'000, {7, 7, 7})});
    for (int row = 0; row < made_up; ++row) {
        vandal.change(storage::Upsert{items, std::nullopt, item(1'000'000 + row, {7, 7, 7})});
    }
    return {
        "id = 1: missing in the copy",
        "id = 2: other values in the copy",
        "id = 5000: other values in the copy",
        "id = -4321: missing in the copy"};
}

}  // namespace

TEST_CASE("A copy that is right is found so, while it is written", "[storage]") {
    const PostgresServer server;
    create_items(server, 12'000);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const unsigned seed = std::random_device{}();
    INFO("seed " << seed);
    {
        const Writer writer{server, observer, seed};
        for (int round = 0; round < 5; ++round) {
            check_while_written(syncer, writer);
        }
    }
    CHECK(observer.violations() == std::vector<std::string>{});
    CHECK(observer.copies("items") == 1);
    CHECK(observer.interruptions() == 0);
    CHECK(server.value("SELECT count(*) FROM pg_replication_slots") == "1");
    CHECK(syncer.verified().front().passes == 5);
}

TEST_CASE("Every type of key and of vector is the same on both sides", "[storage]") {
    const PostgresServer server;
    server.exec(
        "CREATE TABLE by_uuid (id uuid PRIMARY KEY, emb halfvec(3));"
        "CREATE INDEX ON by_uuid USING hnsw (emb halfvec_l2_ops);"
        "INSERT INTO by_uuid SELECT gen_random_uuid(), ARRAY[i / 7.0, -0.0, i]::halfvec "
        "FROM generate_series(1, 5000) i;"
        "CREATE TABLE by_text (id text PRIMARY KEY, emb bit(13));"
        "CREATE INDEX ON by_text USING hnsw (emb bit_hamming_ops);"
        "INSERT INTO by_text SELECT repeat(chr(i % 500 + 161), i % 7) || i || '''', i::bit(13) "
        "FROM generate_series(1, 5000) i;"
        "CREATE TABLE by_both (a smallint, b varchar(20), c int, emb sparsevec(9), v vector(2), "
        "PRIMARY KEY (a, b, c));"
        "CREATE INDEX ON by_both USING hnsw (emb sparsevec_l2_ops);"
        "CREATE INDEX ON by_both USING hnsw (v vector_l2_ops);"
        "INSERT INTO by_both SELECT i % 5 - 2, 'x' || i % 30, i - 3000, "
        "CASE WHEN i % 3 > 0 THEN ('{1:' || i || ',9:0.25}/9')::sparsevec END, ARRAY[i, 1]::vector "
        "FROM generate_series(1, 6000) i;"
        "CREATE TABLE by_two (tenant int, id bigint, emb vector(1), PRIMARY KEY (tenant, id));"
        "CREATE INDEX ON by_two USING hnsw (emb vector_l2_ops);"
        "INSERT INTO by_two SELECT i % 3 - 1, i - 5000, ARRAY[i]::vector "
        "FROM generate_series(1, 10000) i;"
        "CREATE TABLE by_time (day date, at timestamptz, made timestamp, emb vector(1), "
        "PRIMARY KEY (day, at, made));"
        "CREATE INDEX ON by_time USING hnsw (emb vector_l2_ops);"
        "INSERT INTO by_time SELECT '1999-06-01'::date + i % 500, "
        "'1999-12-31 23:00+00'::timestamptz + i * interval '1 second', "
        "'2000-01-01'::timestamp - i * interval '1 microsecond', ARRAY[i]::vector "
        "FROM generate_series(1, 6000) i;"
        "INSERT INTO by_time VALUES ('infinity', '-infinity', '0044-03-15 BC', '[1]'), "
        "('4714-11-24 BC', 'infinity', '294276-12-31 23:59:59.999999', '[2]'), "
        "('5874897-12-31', '4714-11-24 00:00+00 BC', '-infinity', '[3]');"
        "ALTER ROLE CURRENT_USER SET DateStyle = 'SQL, DMY';"
        "ALTER ROLE CURRENT_USER SET TimeZone = 'America/St_Johns'"
    );
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    server.exec(
        "UPDATE by_time SET day = day - 1000 WHERE made < '1999-12-31 23:59:59.999';"
        "UPDATE by_time SET emb = '[9]' WHERE day = 'infinity';"
        "DELETE FROM by_time WHERE at = 'infinity' OR made = '2000-01-01'::timestamp - interval '9 "
        "us'"
    );
    REQUIRE(caught_up(server, observer));
    std::map<std::string, std::uint64_t> rows;
    for (const TableVerdict& verdict : verify(syncer)) {
        CHECK(verdict.trouble.empty());
        CHECK(verdict.named.empty());
        rows[verdict.name] = verdict.rows;
    }
    CHECK(
        rows ==
        std::map<std::string, std::uint64_t>{
            {"public.by_uuid", 5'000},
            {"public.by_text", 5'000},
            {"public.by_both", 6'000},
            {"public.by_two", 10'000},
            {"public.by_time", 6'001}}
    );
}

TEST_CASE("Rows that differ are named, repaired, and told to the index", "[storage]") {
    const PostgresServer server;
    create_items(server, 20'000);
    {
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    Texts wrong = vandalise(server, 1);
    wrong.emplace_back("id = 1000000: only in the copy");
    std::sort(wrong.begin(), wrong.end());
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    REQUIRE(observer.table_rows("items") != rows_in_postgres(server, "items"));
    auto verdicts = verify(syncer, {observer.tables().front().oid, 0});
    REQUIRE(verdicts.size() == 1);
    std::sort(verdicts.front().named.begin(), verdicts.front().named.end());
    CHECK(verdicts.front().name == "public.items");
    CHECK(verdicts.front().named == wrong);
    CHECK(verdicts.front().differences == 5);
    CHECK(verdicts.front().repaired == 5);
    CHECK(verdicts.front().trouble.empty());
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(observer.violations() == std::vector<std::string>{});
    CHECK(verify(syncer).front().differences == 0);
    CHECK(syncer.verified().front().differences == 5);
    CHECK(syncer.verified().front().repaired == 5);
    syncer.stop();
    CHECK(rows_in_store(store_directory(server), "items") == rows_in_postgres(server, "items"));
}

TEST_CASE("Too many rows that differ are copied again, not repaired one by one", "[storage]") {
    const PostgresServer server;
    create_items(server, 6'000);
    {
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    vandalise(server, 1'500);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    const auto verdicts = verify(syncer);
    CHECK(verdicts.front().differences > 1'000);
    CHECK(verdicts.front().trouble == "So many rows differ that the table is copied again.");
    REQUIRE(wait_until([&] { return observer.copies("items") == 1; }));
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
    CHECK(verify(syncer).front().differences == 0);
    CHECK(observer.begins() == 1);  // nothing else started over
}

TEST_CASE("What differs is found without anybody asking", "[storage]") {
    const PostgresServer server;
    create_items(server, 10'000);
    {
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
    }
    vandalise(server, 1);
    RecordingObserver observer;
    auto watchful = options(server);
    watchful.verify_rows_per_second = 100'000;
    watchful.verify_every = std::chrono::seconds{2};
    Syncer syncer{watchful, observer};
    syncer.start();
    REQUIRE(wait_until([&] {
        const auto verified = syncer.verified();
        return !verified.empty() && verified.front().passes >= 2;
    }));
    CHECK(syncer.verified().front().differences == 5);
    CHECK(syncer.verified().front().repaired == 5);
    CHECK(observer.table_rows("items") == rows_in_postgres(server, "items"));
}

TEST_CASE("What cannot be compared says why", "[storage]") {
    const PostgresServer server;
    create_items(server, 100);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    CHECK(verify(syncer).front().trouble == "The copy is not being followed yet.");
    syncer.start();
    REQUIRE(caught_up(server, observer));
    CHECK(verify(syncer, {storage::TableOid{1}, 0}).front().trouble == "There is no copy of it.");
    PostgresClient writer{server.dsn()};
    writer.exec("BEGIN; UPDATE items SET n = 1 WHERE id = 1");
    auto answer = ask(syncer, {});
    REQUIRE(slot_waits_for_a_writer(server));
    syncer.stop();
    const std::string trouble = answer.get().front().trouble;  // whoever was first to notice
    CHECK((trouble == "The stream was interrupted." || trouble == "veer is stopping."));
}
