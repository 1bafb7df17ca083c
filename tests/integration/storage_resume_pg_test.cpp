#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <vector>

// A copy that is killed goes on where it was, whatever has become of the table since.

using namespace veer;
using namespace veer::tests;
using storage::sync::Syncer;
using storage::sync::SyncOptions;
using storage::sync::TableState;

namespace {

constexpr int row_count = 3'000;

/// Vectors of 600 dimensions are stored out of line: an UPDATE of another column does not send
/// them.
void create_table(const PostgresServer& server) {
    server.exec(
        "CREATE TABLE late (id bigint PRIMARY KEY, emb vector(600), n int DEFAULT 0);"
        "INSERT INTO late SELECT i, (SELECT array_agg(sin(i * j)::float4)::vector "
        "FROM generate_series(1, 600) j) FROM generate_series(1, " +
        std::to_string(row_count) +
        ") i;"
        "CREATE INDEX late_emb ON late USING ivfflat (emb vector_l2_ops) WITH (lists = 1)"
    );
}

SyncOptions small_ranges(const PostgresServer& server, std::uint64_t bytes_per_second) {
    SyncOptions made = options(server);
    made.copy = {2, bytes_per_second, 256U << 10U};
    return made;
}

/// The first pages of all ranges that the server was asked for so far.
std::vector<std::string> ranges_asked(const PostgresServer& server) {
    std::ifstream log{server.directory() / "log"};
    const std::string text{std::istreambuf_iterator<char>{log}, {}};
    const std::string before = "ctid OPERATOR(pg_catalog.>=) '(";
    std::vector<std::string> pages;
    for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
        at += before.size();
        pages.push_back(text.substr(at, text.find(',', at) - at));
    }
    return pages;
}

/// Says so once `done` holds, and then goes on.
class TellingObserver : public RecordingObserver {
  public:
    using Done = std::function<bool(const storage::sync::TableStatus&)>;

    TellingObserver(int pipe, Done done) : pipe_{pipe}, done_{std::move(done)} {}

    void status(const storage::sync::Status& status) override {
        RecordingObserver::status(status);
        if (!told_ && done_(table_status("late"))) {
            told_ = true;
            (void)!write(pipe_, "x", 1);
        }
    }

    /// Never gets to an index.
    void rows(storage::TableOid /*table*/, std::span<const storage::Row> /*rows*/) override {
        for (;;) {
            pause();
        }
    }

  private:
    int pipe_;
    Done done_;
    bool told_ = false;
};

/// Runs a syncer in a process of its own, which is killed as soon as `done` holds in it. To be
/// called before there is a store in this one: its library's threads do not come along.
void run_and_kill(const SyncOptions& how, const TellingObserver::Done& done) {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        TellingObserver observer{ends[1], done};
        Syncer syncer{how, observer};
        syncer.start();
        for (;;) {
            pause();
        }
    }
    pollfd told{ends[0], POLLIN, 0};
    CHECK(poll(&told, 1, 120'000) == 1);
    kill(child, SIGKILL);
    CHECK(waitpid(child, nullptr, 0) == child);
    close(ends[0]);
    close(ends[1]);
}

/// Rows that were copied come to pages that were not, and the other way round; the vectors of most
/// are not sent.
void change_everything(const PostgresServer& server) {
    server.exec("DELETE FROM late WHERE id % 10 = 3");
    server.exec("VACUUM late");  // there is room on every page again
    server.exec("UPDATE late SET n = n + 1 WHERE id % 3 = 0");
    server.exec("VACUUM late");
    server.exec("UPDATE late SET n = n + 1 WHERE id % 7 < 3");
    server.exec(
        "UPDATE late SET id = -id WHERE id > 0 AND id % 11 = 5 "
        "AND NOT EXISTS (SELECT FROM late other WHERE other.id = -late.id)"
    );
    server.exec("UPDATE late SET emb = emb + emb WHERE id % 13 = 4");
    server.exec(
        "INSERT INTO late SELECT i, (SELECT emb FROM late WHERE id = 1), 9 "
        "FROM generate_series(5, 400, 11) i ON CONFLICT DO NOTHING"
    );
}

void check_equal(const PostgresServer& server, const RecordingObserver& observer) {
    CHECK(observer.table_rows("late") == rows_in_postgres(server, "late"));
    std::int64_t sum = 0;
    for (const auto& [key, values] : observer.table_values("late")) {
        const std::string& n = std::get<std::string>(values.at(1));
        sum += static_cast<unsigned char>(n.at(3));  // small and not negative
    }
    CHECK(std::to_string(sum) == server.value("SELECT sum(n) FROM late"));
    for (const std::string& violation : observer.violations()) {
        FAIL_CHECK(violation);
    }
}

/// Where this happens after the kill, all is copied again.
void check_copied_again(const std::string& sql) {
    const PostgresServer server{{"log_statement = 'all'"}};
    create_table(server);
    run_and_kill(small_ranges(server, 1U << 20U), [](const auto& status) {
        return status.state == TableState::copying && status.rows_done > 700;
    });
    server.exec(sql);
    RecordingObserver observer;
    Syncer syncer{small_ranges(server, 0), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    const std::vector<std::string> all = ranges_asked(server);
    CHECK(std::count(all.begin(), all.end(), "0") >= 2);
}

}  // namespace

TEST_CASE("Ranges that were copied before a kill are not read again", "[storage]") {
    const PostgresServer server{{"log_statement = 'all'"}};
    create_table(server);
    run_and_kill(small_ranges(server, 1U << 20U), [](const auto& status) {
        return status.state == TableState::copying && status.rows_done > 700;
    });
    const std::vector<std::string> before = ranges_asked(server);
    REQUIRE(before.size() > 2);
    change_everything(server);

    RecordingObserver observer;
    Syncer syncer{small_ranges(server, 0), observer};
    syncer.start();
    REQUIRE(wait_until([&] { return observer.table_status("late").state == TableState::streaming; })
    );
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    const std::vector<std::string> all = ranges_asked(server);
    CHECK(all.size() > before.size());
    // But for those that two connections were reading.
    CHECK(all.size() <= std::set<std::string>{all.begin(), all.end()}.size() + 2);
    CHECK(observer.begins() == 1);

    server.exec("UPDATE late SET n = n + 1 WHERE id % 5 = 0");
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    syncer.stop();
    CHECK(rows_in_store(store_directory(server), "late") == rows_in_postgres(server, "late"));
}

TEST_CASE("A copy that was killed again and again is that of the table", "[storage]") {
    const PostgresServer server{{"log_statement = 'all'"}};
    create_table(server);
    for (const std::uint64_t rows : {500U, 1'000U, 1'700U}) {
        run_and_kill(small_ranges(server, 1U << 20U), [rows](const auto& status) {
            return status.state == TableState::copying && status.rows_done > rows;
        });
        change_everything(server);
    }
    RecordingObserver observer;
    Syncer syncer{small_ranges(server, 0), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    const std::vector<std::string> all = ranges_asked(server);
    CHECK(all.size() <= std::set<std::string>{all.begin(), all.end()}.size() + 6);
}

TEST_CASE("What is killed while its index is built reads nothing again", "[storage]") {
    const PostgresServer server{{"log_statement = 'all'"}};
    create_table(server);
    run_and_kill(small_ranges(server, 0), [](const auto& status) {
        return status.state == TableState::building;
    });
    const std::size_t asked = ranges_asked(server).size();
    change_everything(server);
    RecordingObserver observer;
    Syncer syncer{small_ranges(server, 0), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    CHECK(ranges_asked(server).size() == asked);
}

TEST_CASE("A copy goes on under the table's new name, whoever has the old one", "[storage]") {
    const PostgresServer server{{"log_statement = 'all'"}};
    create_table(server);
    run_and_kill(small_ranges(server, 1U << 20U), [](const auto& status) {
        return status.state == TableState::copying && status.rows_done > 700;
    });
    server.exec(
        "ALTER TABLE late RENAME TO later;"
        "CREATE TABLE late (LIKE later INCLUDING ALL);"
        "DROP INDEX late_emb_idx;"
        "INSERT INTO late SELECT id + 10000, emb, n FROM later"
    );
    RecordingObserver observer;
    Syncer syncer{small_ranges(server, 0), observer};
    syncer.start();
    REQUIRE(wait_until([&] { return observer.table_status("later").state == TableState::streaming; }
    ));
    REQUIRE(caught_up(server, observer));
    const bool same = observer.table_rows("later") == rows_in_postgres(server, "later");
    CHECK(same);
    const std::vector<std::string> all = ranges_asked(server);
    CHECK(all.size() <= std::set<std::string>{all.begin(), all.end()}.size() + 2);
}

TEST_CASE("What was copied of a file that was written in another order, is again", "[storage]") {
    check_copied_again("CREATE INDEX by_n ON late (n, id DESC); CLUSTER late USING by_n");
}

TEST_CASE("What was copied of a table that was emptied, is again", "[storage]") {
    check_copied_again("TRUNCATE late; INSERT INTO late SELECT 1, array_fill(1, ARRAY[600])::vector"
    );
}

TEST_CASE("What was copied before changes that cannot be read, is again", "[storage]") {
    check_copied_again(
        "BEGIN; UPDATE pg_type SET typsend = 0 WHERE typname = 'int8';"
        "UPDATE late SET n = 7 WHERE id = 1;"
        "UPDATE pg_type SET typsend = 'int8send'::regproc WHERE typname = 'int8'; COMMIT"
    );
}

TEST_CASE("What a killed copy read of a partition that came and went is not kept", "[storage]") {
    const PostgresServer server{{"log_statement = 'all'"}};
    create_table(server);
    server.exec(
        "ALTER TABLE late RENAME TO low; DROP INDEX late_emb;"
        "CREATE TABLE late (LIKE low INCLUDING ALL) PARTITION BY RANGE (id);"
        "CREATE TABLE high (LIKE low INCLUDING ALL);"
        "INSERT INTO high SELECT id + 10000, emb, n FROM low;"
        "ALTER TABLE late ATTACH PARTITION low FOR VALUES FROM (-10000) TO (10000);"
        "CREATE INDEX late_emb ON late USING ivfflat (emb vector_l2_ops) WITH (lists = 1)"
    );
    SyncOptions unwatched = small_ranges(server, 1U << 19U);
    unwatched.catalogue_every = std::chrono::hours(1);
    std::size_t attached = 0;
    run_and_kill(unwatched, [&](const auto& status) {
        const bool copying = status.state == TableState::copying;
        if (copying && attached == 0 && status.rows_done > 300 && read_unwatched(server)) {
            attached = status.rows_done;
            server.exec("ALTER TABLE late ATTACH PARTITION high FOR VALUES FROM (10000) TO (20000)"
            );
        }
        return copying && attached > 0 && status.rows_done > attached + 900;
    });
    const std::size_t asked = ranges_asked(server).size();
    server.exec("DROP TABLE high");
    RecordingObserver observer;
    Syncer syncer{small_ranges(server, 0), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    check_equal(server, observer);
    const std::vector<std::string> all = ranges_asked(server);
    CHECK(all.size() > asked);
    CHECK(std::count(all.begin(), all.end(), "0") == 1);  // gone on with, not begun anew
}
