#include "tests/integration/broken_copy.hpp"
#include "tests/integration/crowd.hpp"
#include "tests/integration/operating.hpp"
#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

// Guards that act by themselves, with eight clients under writes that notice every wrong answer; an
// index without neighbours is in cutover_pg_test.cpp. How soon is printed, and no test's business:
// what is asserted is that, and with what effect.

namespace veer::tests {

namespace {

using Clock = std::chrono::steady_clock;
using Build = VeerProcess::Build;

const std::string all_compared =
    "[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\njudge_cores = 8\n";

/// Stops the server process that streams to veer, as a network that has gone does; for a while.
class Standstill {
  public:
    explicit Standstill(Client& postgres) {
        std::string pid;
        REQUIRE(wait_until([&] {
            pid = postgres
                      .simple(
                          "SELECT active_pid FROM pg_replication_slots WHERE active AND NOT "
                          "temporary"
                      )
                      .value();
            return !pid.empty();
        }));
        sender_ = std::stoi(pid);
        REQUIRE(kill(sender_, SIGSTOP) == 0);
    }

    Standstill(const Standstill&) = delete;
    Standstill& operator=(const Standstill&) = delete;

    ~Standstill() { kill(sender_, SIGCONT); }

  private:
    pid_t sender_ = 0;
};

bool answered_by_veer(Client& client) {
    client.simple(search_near(1));
    return last(client, 0) == "veer";
}

void check_whole(Crowd& crowd) {
    crowd.stop();
    CHECK(crowd.failed() == 0);
    CHECK(crowd.lost() == 0);
    CHECK(crowd.asked() > 100);
}

}  // namespace

TEST_CASE("a copy that falls behind serves nobody until it has caught up", "[integration]") {
    Playground playground(
        "[defaults]\npercent = 100\nfreshness = 'eventual'\n[guards]\nlag_max = '500ms'\n"
        "lag_for = '300ms'\nlag_clear = '450ms'\nlag_clear_for = '100ms'\n"
        "[compare]\nrate = 0\n"  // else a slow machine's guard might be the first to act
    );
    Client postgres(playground.direct());
    Client client(playground.through());
    Crowd crowd(playground.through());
    REQUIRE(wait_until([&] { return answered_by_veer(client); }));
    const std::string revision = shown(client, "revision");
    {
        const Standstill standstill(postgres);
        const auto begun = Clock::now();
        REQUIRE(wait_until([&] { return shown(client, "why") == "lag"; }));
        WARN("all on Postgres " << milliseconds_since(begun) << " ms after the stream stopped");
        CHECK(shown(client, "desired") == "100");
        CHECK(shown(client, "effective") == "0");
        CHECK(decided_otherwise(client, "lag") == 0);
    }
    REQUIRE(wait_until([&] { return shown(client, "effective") == "100"; }));
    REQUIRE(wait_until([&] { return answered_by_veer(client); }));
    CHECK(shown(client, "revision") == revision);  // nobody has moved it
    check_whole(crowd);
}

TEST_CASE("an index that has become slow loses its share", "[integration]") {
    const std::string toml =
        "[defaults]\npercent = 100\nfreshness = 'eventual'\n[cutover]\nsteps = [100]\n"
        "[guards]\nslow_share_max = 0.5\nlag_max = '1h'\n";
    Playground playground(toml + "[compare]\nrate = 0\n", Build::faulty);
    Client client(playground.through());
    Crowd crowd(playground.through());
    REQUIRE(wait_until([&] { return answered_by_veer(client); }));
    // Slower than Postgres on any machine: doubled until it is.
    constexpr std::chrono::milliseconds first{40};
    constexpr std::chrono::milliseconds last_delay{5000};
    const Clock::time_point begun = Clock::now();
    playground.veer.reload(toml + all_compared);
    bool back = false;
    for (auto delay = first; !back && delay <= last_delay; delay *= 2) {
        playground.veer.set_fault("slow " + std::to_string(delay.count()));
        const Clock::time_point asked = Clock::now();
        client.simple(search_near(1));
        const bool slow = Clock::now() - asked >= delay;
        CHECK((slow || last(client, 0) != "veer"));  // else it is not the fault that acts
        back =
            wait_until([&] { return shown(client, "effective") == "0"; }, std::chrono::seconds(30));
    }
    WARN("all on Postgres " << milliseconds_since(begun) << " ms after the index became slow");
    CHECK(back);
    // What has been decided holds before the log has heard of it.
    CHECK(wait_until([&] { return playground.veer.log().find("slow") != std::string::npos; }));
    CHECK(shown(client, "desired") == "100");
    playground.veer.set_fault("");
    CHECK_FALSE(answered_by_veer(client));  // a machine goes back alone, never forward
    check_whole(crowd);
}

TEST_CASE(
    "steps go up by themselves on what comparisons prove, and a guard takes all of it back",
    "[integration]"
) {
    // Loose gates: what durations and recall a build for tests has proves little.
    Playground playground(
        "[defaults]\npercent = 0\nfreshness = 'eventual'\n" + all_compared +
            "[cutover]\nautomatic = true\nsteps = [50, 100]\nstep_min = '100ms'\n"
            "[gates]\nrecall_min = 0.5\nconfidence = 0.9\nmargin = 0.1\ncompared_min = 5\n"
            "slow_share_max = 0.5\nexcluded_max = 1\n"
            "[guards]\nrecall_floor = 0.4\nslow_share_max = 0.9\nfallback_max = 0.5\n"
            "lag_max = '1h'\n",
        Build::faulty
    );
    Client client(playground.through());
    Console console(playground.directory / "veer", playground.veer);
    Crowd crowd(playground.through());
    console.say("SHADOW docs");
    // Nobody promotes. Gates are closed, or slow to open, while the machine is: that ends.
    CHECK(wait_until([&] { return shown(client, "effective") == "100"; }, std::chrono::minutes(4)));
    const std::string moves =
        "SELECT actor, to_state FROM veer.audit WHERE actor = 'automatic step' AND route LIKE "
        "'%docs%' ORDER BY seq";
    CHECK(console.ask(moves) == "automatic step|canary 50\nautomatic step|full 100\n");
    REQUIRE(wait_until([&] { return answered_by_veer(client); }));
    playground.veer.set_fault("neighbours 1");
    const Clock::time_point begun = Clock::now();
    CHECK(wait_until([&] { return shown(client, "why") == "tripped"; }, std::chrono::minutes(4)));
    WARN("all on Postgres " << milliseconds_since(begun) << " ms after neighbours were left out");
    CHECK(shown(client, "effective") == "0");
    // What has been decided holds before the audit has heard of it.
    const bool audited = wait_until([&] {
        return console.ask(
                   "SELECT count(*) FROM veer.audit WHERE actor IN ('recall_floor', "
                   "'golden') AND route LIKE '%docs%'"
               ) != "0\n";
    });
    INFO(console.ask("SELECT * FROM veer.audit"));
    CHECK(audited);
    playground.veer.set_fault("");
    CHECK_FALSE(answered_by_veer(client));
    CHECK(console.ask(moves) == "automatic step|canary 50\nautomatic step|full 100\n");
    check_whole(crowd);
}

TEST_CASE("an index that forgets conditions is found in shadow, and closed", "[integration]") {
    Playground playground("[defaults]\npercent = 0\n" + all_compared, Build::faulty);
    const std::filesystem::path directory = playground.directory / "veer";
    Client client(playground.through());
    Console console(directory, playground.veer);
    Crowd crowd(playground.through());
    console.say("SHADOW docs");
    int searches = 0;
    const auto compared = [&](const std::string& column) {
        const Outcome shown = client.simple("SHOW veer.compare");
        for (std::size_t i = 0; i < shown.columns.size() && !shown.rows.empty(); ++i) {
            if (shown.columns[i].name == column) {
                return shown.rows[0][i].value_or("");
            }
        }
        return std::string();
    };
    const auto search = [&] {
        const std::string vector = "'[0." + std::to_string(++searches) + ",-0.2,0,0.4,-0.5,0,0,1]'";
        const Outcome found = client.simple(
            "SELECT id, e <=> " + vector +
            " AS d, category FROM docs WHERE category IN (3, 4) AND "
            "made > '2024-01-02 00:00:00+00' ORDER BY d LIMIT 5"
        );
        for (const auto& row : found.rows) {
            CHECK((row.at(2) == "3" || row.at(2) == "4"));
        }
        return is_answer(found, 5, 1);
    };
    // As long as nothing is wrong with it, no comparison says so.
    CHECK(wait_until([&] {
        CHECK(search());
        return std::stoull("0" + compared("compared")) > 50;
    }));
    CHECK(compared("hard") == "0");
    playground.veer.set_fault("unfiltered 1");
    const auto begun = Clock::now();
    CHECK(wait_until([&] {
        CHECK(search());
        return compared("hard_classes").find("filter_violation") != std::string::npos;
    }));
    WARN("a row that WHERE forbids was found after " << milliseconds_since(begun) << " ms");
    client.simple("SET veer.route = 'veer'");  // not even who asks for the index gets it
    CHECK(wait_until([&] {
        CHECK(search());
        return last(client, 1) == "quarantined" || last(client, 1) == "tripped";
    }));
    CHECK(wait_until([&] {
        return playground.veer.log().find("filter_violation") != std::string::npos;
    }));
    check_whole(crowd);
}

TEST_CASE("all that was confirmed is there after a kill amid moves", "[integration]") {
    const std::string toml = "[defaults]\npercent = 0\n[cutover]\ngated = false\n";
    Playground playground(toml);
    const std::filesystem::path directory = playground.directory / "veer";
    const std::vector<std::string> shares{"1", "25", "5", "100", "50"};
    std::string confirmed = "0";
    std::string asked = "0";
    std::atomic<int> moves = 0;
    {
        Console console(directory, playground.veer);
        console.say("SHADOW docs");
        Crowd crowd(playground.through());
        std::thread killer([&] {
            wait_until([&] { return crowd.asked() > 200 && moves > 5; });
            playground.veer.signal(SIGKILL);
        });
        for (std::size_t i = 0; console.alive(); ++i) {
            const bool back = i % 3 == 2;
            asked = back ? "0" : shares[i % shares.size()];
            if (console.done(back ? "ROLLBACK docs" : "PROMOTE docs TO " + asked)) {
                confirmed = asked;
                ++moves;
            }
        }
        killer.join();
        crowd.stop();
        CHECK(crowd.failed() == 0);  // a connection that is lost is no wrong answer
    }
    playground.veer.stop(true);
    const VeerProcess next(directory, playground.direct(), toml);
    Client client(next.dsn("user=postgres dbname=postgres"));
    CHECK(wait_until([&] { return shown(client, "state") == "live"; }));
    const std::string effective = shown(client, "effective");
    INFO("confirmed " << confirmed << ", asked for " << asked);
    CHECK((effective == confirmed || effective == asked));
    const VeerProcess::Said audit = next.command("verify-audit");
    INFO(audit.output);
    CHECK(audit.exit_code == 0);
}

}  // namespace veer::tests
