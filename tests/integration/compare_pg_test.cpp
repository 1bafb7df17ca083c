#include "tests/integration/broken_copy.hpp"
#include "tests/integration/operating.hpp"
#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>

// Sampled searches against real pgvector: a healthy copy shows no difference that counts, a broken
// one does.

namespace veer::tests {

namespace {

const std::string all_compared =
    "[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\njudge_cores = 8\n";

const std::string docs_route = "public.docs.e <=>";
const std::string points_route = "public.points.e <->";

std::string random_vector(std::mt19937& random) {
    std::uniform_real_distribution<float> value(-1, 1);
    std::string text = "[";
    for (int i = 0; i < 8; ++i) {
        text += (i == 0 ? "" : ",") + std::to_string(value(random));
    }
    return text + ']';
}

/// One row of SHOW veer.compare by column.
std::map<std::string, std::string> compared(Client& client, const std::string& route) {
    const Outcome shown = client.simple("SHOW veer.compare");
    std::map<std::string, std::string> found;
    for (const auto& row : shown.rows) {
        for (std::size_t c = 0; row[0] == route && c < row.size(); ++c) {
            found[shown.columns[c].name] = row[c].value_or("");
        }
    }
    return found;
}

std::uint64_t number(Client& client, const std::string& route, const std::string& column) {
    return std::stoull("0" + compared(client, route)[column]);
}

/// The row as text, for a test that fails.
std::string all_of(Client& client, const std::string& route) {
    std::string text;
    for (const auto& [column, value] : compared(client, route)) {
        text.append(column).append("=").append(value).append(" ");
    }
    return text;
}

/// Changes rows of docs beside the searches, on a connection past veer: a few for every search, so
/// that the stream keeps up on any machine.
class Writer {
  public:
    explicit Writer(const std::string& dsn) : thread_([this, dsn] { write(dsn); }) {}

    ~Writer() {
        allow(-1);
        thread_.join();
    }

    void allow_one() { allow(1); }

    int written() const { return written_; }

  private:
    void allow(int rounds) {
        const std::lock_guard lock(mutex_);
        stop_ = rounds < 0;
        allowed_ = std::min(allowed_ + rounds, 2);
        changed_.notify_one();
    }

    bool may_go_on() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || allowed_ > 0; });
        --allowed_;
        return !stop_;
    }

    void write(const std::string& dsn) {
        Client client(dsn);
        for (int i = 0; may_go_on(); ++i) {
            const std::string id = std::to_string(1 + i * 37 % 2000);
            client.simple("UPDATE docs SET e = random_vector(8) WHERE id = " + id);
            client.simple(
                "INSERT INTO docs VALUES (" + std::to_string(10'000 + i) +
                ", 'new', 1, now(), random_vector(8))"
            );
            client.simple("DELETE FROM docs WHERE id = " + std::to_string(10'000 + i - 5));
            ++written_;
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    int allowed_ = 0;
    bool stop_ = false;
    std::atomic<int> written_ = 0;
    std::thread thread_;
};

/// Searches for something new until the route has `count` comparisons.
bool search_until(
    Client& client,
    const std::string& route,
    const std::string& sql,
    std::uint64_t count,
    Writer* writer = nullptr
) {
    std::mt19937 random(static_cast<unsigned>(count));
    return wait_until(
        [&] {
            for (int i = 0; i < 5; ++i) {
                const Outcome found = client.extended(sql, {random_vector(random)});
                REQUIRE(found.sqlstate.empty());
                REQUIRE(found.rows.size() == 10);
            }
            if (writer != nullptr) {
                writer->allow_one();
            }
            return number(client, route, "compared") >= count;
        },
        std::chrono::minutes(3)
    );
}

const std::string docs_search = "SELECT id, e <=> $1 AS d FROM docs ORDER BY e <=> $1 LIMIT 10";
const std::string points_search = "SELECT id, n FROM points ORDER BY e <-> $1 LIMIT 10";

}  // namespace

TEST_CASE("a healthy route has recall and no hard difference, under writes", "[integration]") {
    // The stream may take its time on a busy machine; a search that waits for it in vain would be
    // Postgres' own.
    const auto share = [](const std::string& percent) {
        return "[defaults]\nfreshness_wait = \"30s\"\npercent = " + percent + "\n" + all_compared;
    };
    Playground playground(share("0"));
    Client client(playground.through());
    Writer writer(playground.direct());
    for (const std::string percent : {"0.001", "100"}) {
        INFO("percent " << percent);
        playground.veer.reload(share(percent));
        playground.await_percent(percent);
        const std::uint64_t before = number(client, docs_route, "compared");
        const bool reached = search_until(client, docs_route, docs_search, before + 100, &writer);
        INFO(all_of(client, docs_route));
        REQUIRE(reached);
        const std::uint64_t points = number(client, points_route, "compared");
        REQUIRE(search_until(client, points_route, points_search, points + 40, &writer));
    }
    CHECK(writer.written() > 0);
    for (const std::string& route : {docs_route, points_route}) {
        auto row = compared(client, route);
        INFO(row["hard_classes"]);
        CHECK(row["hard"] == "0");
        CHECK(std::stod(row["recall"]) > 0.99);
        CHECK(std::stod(row["pg_recall"]) > 0.99);
        CHECK(std::stoull(row["judged"]) > 0);  // how many is the machine's business
        CHECK(std::stod(row["p50_ms"]) <= std::stod(row["p99_ms"]));
        CHECK(std::stod(row["pg_p50_ms"]) > 0);
    }
}

TEST_CASE("a copy that lost rows, or has rows of its own, is noticed and kept", "[integration]") {
    const std::string toml = "[defaults]\npercent = 0.001\n" + all_compared +
                             "[sync]\nverify_rate = 0\n";  // which would repair what is broken
    Playground playground(toml);
    playground.veer.stop();
    break_copy(playground.directory / "veer" / "data");
    VeerProcess broken(playground.directory / "veer", playground.direct(), toml);
    Client client(broken.dsn("user=postgres dbname=postgres"));
    REQUIRE(wait_until([&] {
        const Outcome routes = client.simple("SHOW veer.routes");
        return !routes.rows.empty() && routes.rows[0][4] == "live";
    }));
    REQUIRE(search_until(client, docs_route, docs_search, 40));
    auto docs = compared(client, docs_route);
    CHECK(docs["hard_classes"].find("missing_row") != std::string::npos);
    CHECK(std::stoull(docs["hard"]) > 10);
    // Points of veer's own are near the origin: what is searched for there finds them. One search
    // may be shed, so another follows.
    int searches = 0;
    CHECK(wait_until([&] {
        const std::string vector = "[0.0" + std::to_string(++searches) + ",0,0,0,0,0,0,0]";
        REQUIRE(client.extended(points_search, {vector}).rows.size() == 10);
        return compared(client, points_route)["hard_classes"].find("invisible_row") !=
               std::string::npos;
    }));
    const Outcome kept = client.simple("SHOW veer.mismatches");
    std::map<std::string, int> classes;
    for (const auto& row : kept.rows) {
        ++classes[row[4].value_or("")];
        CHECK((row[5] == "hard" || row[5] == "soft"));
    }
    CHECK(classes["missing_row"] > 0);
    CHECK(classes["invisible_row"] > 0);
}

TEST_CASE("a judge that cannot keep up is no evidence, and no raise rests on it", "[integration]") {
    Playground playground(
        "[defaults]\npercent = 0\n[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\n"
        "judge_cores = 0\n[gates]\ncompared_min = 1\n"
    );
    Client client(playground.through());
    Console console(playground.directory / "veer", playground.veer);
    console.say("SHADOW docs");
    std::mt19937 random(1);
    CHECK(wait_until([&] {
        CHECK(client.extended(docs_search, {random_vector(random)}).rows.size() == 10);
        return number(client, docs_route, "compared") >= 30;
    }));
    CHECK(number(client, docs_route, "judged") == 0);
    CHECK(
        console.ask("SELECT verdict, samples FROM veer.gates WHERE gate = 'recall' AND route LIKE "
                    "'%docs%'") == "inconclusive|0\n"
    );
    CHECK(console.ask("SELECT count(*) FROM veer.recall WHERE judge = 'exact'") == "0\n");
    CHECK(console.ask("SELECT count(*) FROM veer.recall WHERE judge = 'best of both'") == "2\n");
    const std::string refusal = console.refusal("PROMOTE docs TO 1");
    INFO(refusal);
    CHECK(
        (refusal.find("(evidence)") != std::string::npos ||
         refusal.find("(gates)") != std::string::npos)
    );
    CHECK(shown(client, "effective") == "0");
}

TEST_CASE("what exceeds the budget is shed, and the clients do not wait for it", "[integration]") {
    Playground playground(
        "[defaults]\npercent = 0.001\n[compare]\nrate = 1\nbudget_per_second = 1\nload_max = 1\n"
    );
    Client client(playground.through());
    std::mt19937 random(1);
    const auto begun = std::chrono::steady_clock::now();
    std::uint64_t sent = 0;
    for (; sent < 200; ++sent) {
        REQUIRE(client.extended(docs_search, {random_vector(random)}).rows.size() == 10);
    }
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun)
            .count();
    CHECK(wait_until([&] {
        auto row = compared(client, docs_route);
        return std::stoull(row["compared"]) + std::stoull(row["shed"]) +
                   std::stoull(row["repeated"]) + std::stoull(row["failed"]) ==
               sent;
    }));
    CHECK(number(client, docs_route, "sampled") == sent);
    const std::uint64_t done = number(client, docs_route, "compared");
    CHECK(done >= 1);
    CHECK(done <= static_cast<std::uint64_t>(seconds) + 2);
    auto row = compared(client, docs_route);
    CHECK(row["shed_why"].find("load") == std::string::npos);
    CHECK(row["shed_why"].find("budget ") != std::string::npos);
    // With next to no time to be in flight, as soon as the machine is not thought to be idle any
    // more.
    playground.veer.reload(
        "[defaults]\npercent = 0.002\n[compare]\nrate = 1\nbudget_per_second = 10000\n"
        "load_max = 0.000001\n"
    );
    playground.await_percent("0.002");
    CHECK(wait_until([&] {
        ++sent;
        REQUIRE(client.extended(docs_search, {random_vector(random)}).rows.size() == 10);
        return compared(client, docs_route)["shed_why"].find("load ") != std::string::npos;
    }));
    // Off: nothing is sampled any more.
    playground.veer.reload("[defaults]\npercent = 1\n[compare]\nrate = 0\n");
    playground.await_percent("1");
    client.extended(docs_search, {random_vector(random)});
    CHECK(number(client, docs_route, "sampled") == sent);
}

}  // namespace veer::tests
