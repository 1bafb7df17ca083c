#include "index/replica.hpp"
#include "proxy/compare/change_tap.hpp"
#include "proxy/compare/comparer.hpp"
#include "proxy/compare/golden_keeper.hpp"
#include "router/candidate.hpp"
#include "storage/sync/syncer.hpp"
#include "tests/support/postgres_server.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <filesystem>
#include <future>

// The executor of comparisons in one process, over a real stream and real pgvector: it is told of
// answers that veer would never give.

namespace veer::tests {

namespace {

using router::compare::Difference;
using router::compare::Mismatch;
using router::compare::Observation;
using Neighbours = router::compare::Rows;

constexpr std::uint64_t rows_copied = 300;

constexpr const char* tables = R"(
    CREATE TABLE items (a int, name text, e vector(3), price int, PRIMARY KEY (a, name));
    INSERT INTO items SELECT i, 'n"' || i, ARRAY[i, 0, 0]::vector, nullif(i % 10, 0) FROM generate_series(1, 300) i;
    CREATE INDEX ON items USING hnsw (e vector_l2_ops);
)";

std::filesystem::path fresh_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "veer-compare-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    return name;
}

struct Bench {
    Bench()
        : directory(fresh_directory()),
          tap(log, inbox, replica),
          syncer({.dsn = dsn(), .directory = directory.string()}, tap),
          comparer(
              {.dsn = postgres.dsn(),
               .replica = replica,
               .log = log,
               .ledger = ledger,
               .nudge =
                   [this] {
                       syncer.nudge();
                   }}
          ) {
        config::Config config;
        config.compare = {
            .rate = 1, .budget_per_second = 10'000, .load_max = 1, .judge_cores = 8, .keep = 1000};
        comparer.configure(config);
        syncer.start();
        REQUIRE(wait_until([this] {
            const auto generation = replica.generation();
            return !generation->columns.empty() && generation->columns.front().live;
        }));
        REQUIRE(column()->index->live_rows() == rows_copied);
    }

    ~Bench() {
        comparer.stop();
        syncer.stop();
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::string dsn() const {
        postgres.exec(tables);
        return postgres.dsn();
    }

    std::shared_ptr<const index::IndexedColumn> column() const {
        const auto generation = replica.generation();
        return {generation, &generation->columns.front()};
    }

    /// Searches near (`at`, 0, 0), and offers what `change` makes of veer's rows until somebody has
    /// time for it. Where the stream is late, a comparison is excluded: then once more, unless such
    /// ones are wanted.
    void compare(
        float at, const std::function<void(Neighbours&)>& change, bool excluded_wanted = false
    ) {
        const std::uint64_t before = compared(excluded_wanted);
        const auto tally = ledger.tally("items");
        REQUIRE(wait_until([&] {
            Observation observation;
            observation.route = "items";
            observation.tally = tally;
            observation.column = column();
            observation.vector = {at, 0, 0};
            observation.k = 5;
            observation.ef_search = 100;
            observation.place = static_cast<double>(++places) / 1e6;
            observation.served_by_veer = true;
            observation.applied = replica.applied();
            observation.columns = columns;
            auto found = observation.column->index->search(
                {.query = observation.vector, .k = 5, .ef = 100, .columns = columns}
            );
            REQUIRE(found.has_value());
            change(*found);
            observation.veer = *std::move(found);
            const std::uint64_t left = tally->shed + tally->repeated;
            const std::uint64_t done = compared(true) + tally->failed;
            comparer.offer(std::move(observation));
            // One that is taken comes to an end, however long it takes: offered again meanwhile, it
            // would be counted twice.
            return tally->shed + tally->repeated == left &&
                   wait_until([&] { return compared(true) + tally->failed > done; }) &&
                   compared(excluded_wanted) > before;
        }));
    }

    std::uint64_t compared(bool excluded_too) const {
        const auto records = ledger.records();
        if (records.empty()) {
            return 0;
        }
        const auto& statistics = records.front().statistics;
        return excluded_too ? statistics.compared : statistics.counted();
    }

    /// Position of `price` in Table::copied.
    std::vector<std::size_t> price() const {
        const storage::Table& table = column()->table;
        for (std::size_t i = 0; i < table.copied.size(); ++i) {
            if (table.columns[table.copied[i]].name == "price") {
                return {i};
            }
        }
        return {};
    }

    std::uint64_t count(Difference difference) const {
        return ledger.records().front().statistics.count(difference);
    }

    std::vector<std::size_t> columns = {};  ///< that searches give out beside the key
    PostgresServer postgres;
    std::filesystem::path directory;
    index::Replica replica{1};
    router::compare::ChangeLog log;
    router::compare::GoldenInbox inbox;
    router::compare::Ledger ledger;
    proxy::compare::ChangeTap tap;
    storage::sync::Syncer syncer;
    proxy::compare::Comparer comparer;
    int places = 0;
};

/// With thirty golden searches of items.
void fill(proxy::compare::GoldenKeeper& keeper) {
    config::Config config;
    config.compare = {.rate = 1, .load_max = 1, .judge_cores = 8, .golden = 30};
    keeper.configure(config);
    REQUIRE(wait_until([&] { return keeper.summaries().contains("items"); }));
    for (int i = 1; i <= 30; ++i) {
        keeper.offer("items", {.vector = {static_cast<float>(i) * 7, 0, 0}, .k = 5, .ef = 40});
    }
}

}  // namespace

TEST_CASE("each class of difference is found with real Postgres", "[integration]") {
    Bench bench;
    bench.compare(10.1F, [](Neighbours&) {});
    CHECK(bench.count(Difference::none) == 1);
    bench.compare(20.1F, [](Neighbours& rows) { rows.back() = rows.front(); });
    CHECK(bench.count(Difference::duplicate_id) == 1);
    bench.compare(30.1F, [](Neighbours& rows) { std::swap(rows[0], rows[4]); });
    CHECK(bench.count(Difference::unsorted) == 1);
    bench.compare(40.1F, [](Neighbours& rows) { rows[2].distance = rows[1].distance; });
    CHECK(bench.count(Difference::wrong_distance) == 1);
    bench.compare(50.1F, [](Neighbours& rows) { rows[2].key.back() = '?'; });
    CHECK(bench.count(Difference::invisible_row) == 1);
    bench.compare(60.1F, [](Neighbours& rows) { rows.pop_back(); });
    CHECK(bench.count(Difference::veer_short) == 1);
    bench.compare(70.1F, [&bench](Neighbours& rows) {  // one neighbour dropped, the next in its
                                                       // place
        const auto more = bench.column()->index->search(std::vector<float>{70.1F, 0, 0}, 6, 100);
        rows = *more;
        rows.erase(rows.begin() + 1);
    });
    CHECK(bench.count(Difference::veer_missed) == 1);

    const auto kept = bench.ledger.mismatches();
    REQUIRE(kept.size() == 6);
    for (const auto& each : kept) {
        CHECK(each->answers.postgres.size() == 5);
        REQUIRE(each->answers.exact);
        CHECK(each->answers.exact->size() > 5);
        CHECK(each->ef_search == 100);
        CHECK(each->pg_lsn > storage::Lsn{});
        CHECK(each->durations.postgres > 0);
    }
    // Run again, veer itself finds all.
    const auto again = bench.comparer.once(proxy::compare::Comparer::Replay{
        .kept = kept.back(), .column = bench.column(), .ef_search = 200}
                                               .observation());
    REQUIRE(again);
    CHECK(again->judgement.verdict == Difference::none);
    CHECK(again->ef_search == 200);
}

TEST_CASE(
    "a golden set follows the stream, and judges anew only what it has run out of", "[integration]"
) {
    Bench bench;
    std::atomic<int> told = 0;
    proxy::compare::GoldenKeeper keeper(
        {.replica = bench.replica,
         .inbox = bench.inbox,
         .served =
             [&bench] {
                 return std::vector<proxy::compare::GoldenKeeper::Served>{
                     {.route = "items", .column = bench.column()}};
             },
         .searches = [] { return std::uint64_t{0}; },
         .measured = [&told](const auto&, const auto& summary) { told += summary.tells() ? 1 : 0; },
         .period = std::chrono::milliseconds(10)}
    );
    fill(keeper);
    const auto now = [&keeper] {
        return keeper.summaries()["items"];
    };
    CHECK(wait_until([&] { return now().searches == 30; }));  // shown from the next round on
    const auto all_measured = [&] {
        return now().measured == 30;
    };
    REQUIRE(wait_until(all_measured));
    CHECK(now().recall == 1);
    CHECK(wait_until([&told] { return told > 0; }));
    const std::uint64_t judged = now().judged;
    // Far from all, and a row of an answer that stays where it is: neither changes an answer.
    bench.postgres.exec("INSERT INTO items VALUES (9999, 'far', '[90000,0,0]')");
    bench.postgres.exec("UPDATE items SET e = e WHERE a = 200");
    bench.postgres.exec("INSERT INTO items VALUES (5000, 'near', '[147.5,0,0]')");
    // Of the first thirteen all that is known goes, of others a part.
    bench.postgres.exec("DELETE FROM items WHERE a < 100");
    const auto judged_anew = [&] {
        return now().judged >= judged + 13 && all_measured();
    };
    REQUIRE(wait_until(judged_anew));
    CHECK(now().recall == 1);
    CHECK(now().judged < judged + 20);  // what came near, and what went of the others, was followed
    const auto curve = [&] {
        std::promise<proxy::compare::GoldenKeeper::Curve> told_curve;
        REQUIRE(keeper.tune("items", [&](auto made) { told_curve.set_value(std::move(made)); }));
        return told_curve.get_future().get();
    }();
    REQUIRE_FALSE(curve.empty());
    CHECK(curve.back().recall() == 1);
    CHECK(keeper.curves().contains("items"));
    CHECK(keeper.searches("items", 7).size() == 7);
}

TEST_CASE(
    "of another server an answer counts once it must have what altered the exact one",
    "[integration]"
) {
    /// Finds what veer's index finds, but for the nearest row; and is behind for at most so long.
    class Forgetful final : public router::Candidate {
      public:
        explicit Forgetful(std::chrono::milliseconds lag) : lag_(lag) {}

        std::size_t identity() const override { return 1; }

        std::chrono::milliseconds lag_max() const override { return lag_; }

        std::shared_ptr<void> admit() override { return std::make_shared<int>(0); }

        router::Found search(const router::SearchOrder& order) override {
            router::SearchOrder own = order;
            own.candidate = nullptr;
            ++own.rows;
            auto found = own.run();
            if (found) {
                found->erase(found->begin());
            }
            return found;
        }

      private:
        std::chrono::milliseconds lag_;
    };

    const auto measured = [](std::chrono::milliseconds lag, auto told) {
        Bench bench;
        const auto server = std::make_shared<Forgetful>(lag);
        proxy::compare::GoldenKeeper keeper(
            {.replica = bench.replica,
             .inbox = bench.inbox,
             .served =
                 [&] {
                     return std::vector<proxy::compare::GoldenKeeper::Served>{
                         {.route = "items", .column = bench.column(), .candidate = server}};
                 },
             .searches = [] { return std::uint64_t{0}; },
             .measured = [](const auto&, const auto&) {},
             .period = std::chrono::milliseconds(10),
             .measure_every = std::chrono::milliseconds(10)}
        );
        fill(keeper);
        const auto now = [&keeper] {
            return keeper.summaries()["items"];
        };
        REQUIRE(wait_until([&] { return now().fresh == 30; }));
        told(now);
        std::promise<bool> nothing;
        REQUIRE(keeper.tune("items", [&](const auto& curve) { nothing.set_value(curve.empty()); }));
        CHECK(nothing.get_future().get());  // its ef is not veer's to choose
    };
    measured(std::chrono::milliseconds(0), [](auto now) {
        REQUIRE(wait_until([&] { return now().measured == 30; }));
        CHECK(now().recall < 0.9);
    });
    measured(std::chrono::hours(1), [](auto now) { CHECK(now().measured == 0); });
}

TEST_CASE(
    "other values in the columns of a row are a wrong answer, named by column", "[integration]"
) {
    Bench bench;
    bench.columns = bench.price();
    REQUIRE(bench.columns.size() == 1);
    for (int i = 0; i < 5; ++i) {
        bench.compare(10.1F + static_cast<float>(i) * 10, [](Neighbours&) {});  // NULLs among them
    }
    CHECK(bench.count(Difference::none) >= 5);
    CHECK(bench.count(Difference::payload) == 0);
    bench.compare(50.1F, [](Neighbours& rows) { rows[1].values[0] = std::string(4, '\x7F'); });
    bench.compare(70.1F, [](Neighbours& rows) { rows[1].values[0] = std::nullopt; });
    CHECK(bench.count(Difference::payload) == 2);
    REQUIRE(bench.ledger.mismatches().size() == 2);
    const Mismatch& kept = *bench.ledger.mismatches().front();
    CHECK(kept.payload == std::vector<std::string>{"price"});
    CHECK(kept.answers.payload.empty());  // values are compared, and not kept
    CHECK(kept.answers.veer->front().values.empty());
}

TEST_CASE("a price that changes meanwhile is in motion, and no wrong answer", "[integration]") {
    Bench bench;
    bench.columns = bench.price();
    REQUIRE(bench.columns.size() == 1);
    for (int i = 0; i < 5; ++i) {
        const int id = 100 + 10 * i;
        // veer has searched; then the row gets another price, and Postgres is asked.
        bench.compare(
            static_cast<float>(id) + 0.1F,
            [&](Neighbours&) {
                bench.postgres.exec("UPDATE items SET price = 77 WHERE a = " + std::to_string(id));
            },
            true
        );
    }
    CHECK(bench.count(Difference::in_flight) + bench.count(Difference::uncovered) >= 5);
    CHECK(bench.ledger.records().front().statistics.count(router::compare::Severity::hard) == 0);
}

TEST_CASE("a difference that replication explains is none, and excluded", "[integration]") {
    Bench bench;
    for (int i = 0; i < 5; ++i) {
        const int id = 100 + 10 * i;
        // veer has searched; then a row is deleted, and Postgres is asked.
        bench.compare(
            static_cast<float>(id) + 0.1F,
            [&](Neighbours&) {
                bench.postgres.exec("DELETE FROM items WHERE a = " + std::to_string(id));
            },
            true
        );
    }
    // Of a stream that is late nobody knows what it brings.
    CHECK(bench.count(Difference::in_flight) + bench.count(Difference::uncovered) >= 5);
    CHECK(bench.ledger.records().front().statistics.count(router::compare::Severity::hard) == 0);
    CHECK(bench.ledger.mismatches().empty());
}

TEST_CASE("a search that Postgres refuses leaves other routes alone", "[integration]") {
    Bench bench;
    const auto tally = bench.ledger.tally("refused");
    const auto column = std::make_shared<index::IndexedColumn>(*bench.column());
    column->ann.operator_oid = 1;  // which there is none of
    REQUIRE(wait_until([&] {
        Observation observation;
        observation.route = "refused";
        observation.tally = tally;
        observation.column = column;
        observation.vector = {1, 0, 0};
        observation.k = 5;
        observation.place = static_cast<double>(++bench.places) / 1e6;
        bench.comparer.offer(std::move(observation));
        return tally->failed > 0;
    }));
    CHECK(bench.ledger.records().back().trouble == "The operator is gone.");
    for (int i = 0; i < 10; ++i) {
        bench.compare(10.1F + static_cast<float>(i), [](Neighbours&) {});
    }
    CHECK(bench.ledger.tally("items")->failed == 0);
}

}  // namespace veer::tests
