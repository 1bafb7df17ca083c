#include "tests/integration/broken_copy.hpp"
#include "tests/integration/crowd.hpp"
#include "tests/integration/operating.hpp"
#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

// Traffic moves to the index and back, under clients.

namespace veer::tests {

namespace {

std::string percent(int share) {
    return "[defaults]\npercent = " + std::to_string(share) + "\n";
}

std::string file_text(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE(
    "observe, a quarter, all, panic by file and back, with no failed or short answer",
    "[integration]"
) {
    Playground playground(percent(0));
    const std::filesystem::path panic = playground.directory / "veer" / "data" / "panic";
    Client client(playground.through());
    Crowd crowd(playground.through());
    CHECK(decided_otherwise(client, "percent") == 0);
    CHECK(shown(client, "cutover") == "observe");
    playground.veer.reload(percent(25));
    playground.await_percent("25");
    const int quarter = decided_otherwise(client, "percent");
    CHECK(quarter > 20);
    CHECK(quarter < 80);
    CHECK(shown(client, "cutover") == "canary");
    playground.veer.reload(percent(100));
    playground.await_percent("100");
    CHECK(wait_until([&] {
        client.simple(search_near(1));
        return last(client, 0) == "veer";
    }));
    CHECK(shown(client, "cutover") == "full");
    std::ofstream(panic).flush();
    CHECK(wait_until([&] { return shown(client, "why") == "panic"; }));
    CHECK(decided_otherwise(client, "panic") == 0);
    CHECK(shown(client, "desired") == "100");
    CHECK(shown(client, "effective") == "0");
    std::filesystem::remove(panic);
    CHECK(wait_until([&] { return shown(client, "effective") == "100"; }));
    playground.veer.reload(percent(0));
    playground.await_percent("0");
    CHECK(decided_otherwise(client, "percent") == 0);
    crowd.stop();
    CHECK(crowd.failed() == 0);
    CHECK(crowd.lost() == 0);
    CHECK(crowd.asked() > 100);
    // What has been decided holds before it is written there.
    const auto audited = [&](const std::string& text) {
        return wait_until([&] {
            return file_text(playground.directory / "veer" / "data" / "audit.jsonl").find(text) !=
                   std::string::npos;
        });
    };
    CHECK(audited("\"to\":\"canary 25\""));
    CHECK(audited("\"action\":\"unpanic\""));
}

TEST_CASE(
    "after kill -9 the confirmed state holds; one that cannot be read keeps all on Postgres",
    "[integration]"
) {
    Playground playground(percent(100));
    const std::filesystem::path directory = playground.directory / "veer";
    const std::filesystem::path state = directory / "data" / "cutover.state";
    playground.veer.signal(SIGUSR2);
    CHECK(wait_until([&] { return file_text(state).find("panic\t1") != std::string::npos; }));
    playground.veer.stop(true);

    const auto lives = [&] {
        return std::make_unique<VeerProcess>(directory, playground.direct(), percent(100));
    };
    const std::string as_me = "user=postgres dbname=postgres";
    auto veer = lives();
    {
        Client client(veer->dsn(as_me));
        CHECK(wait_until([&] { return shown(client, "state") == "live"; }));
        client.simple(search_near(1));
        CHECK(last(client, 1) == "panic");
        veer->signal(SIGUSR2);
        CHECK(wait_until([&] {
            client.simple(search_near(1));
            return last(client, 0) == "veer";
        }));
    }
    veer->stop(true);

    const std::string good = file_text(state);
    std::ofstream(state, std::ios::trunc) << good.substr(0, good.size() / 2);
    veer = lives();
    Client client(veer->dsn(as_me));
    CHECK(wait_until([&] { return shown(client, "state") == "live"; }));
    client.simple(search_near(1));
    CHECK(last(client, 1) == "state_file");
    CHECK(shown(client, "desired") == "100");
    CHECK(shown(client, "effective") == "0");
    CHECK(veer->log().find("cut short") != std::string::npos);
    std::ofstream(state, std::ios::trunc) << good;
    veer->signal(SIGHUP);
    CHECK(wait_until([&] {
        client.simple(search_near(1));
        return last(client, 0) == "veer";
    }));
}

TEST_CASE(
    "by command from shadow to all and back, under writes, with no wrong answer", "[integration]"
) {
    // What durations a build for tests has proves nothing: raises are not gated here.
    const std::string toml =
        percent(0) +
        "[compare]\nrate = 1\nbudget_per_second = 3\nload_max = 1\n[cutover]\ngated = false\n";
    Playground playground(toml);
    const std::filesystem::path directory = playground.directory / "veer";
    {
        Console console(directory, playground.veer);
        Client client(playground.through());
        Crowd crowd(playground.through());
        console.say("SHADOW docs");
        CHECK(shown(client, "cutover") == "shadow");
        for (const std::string share : {"1", "25", "100"}) {
            console.say("PROMOTE docs TO " + share);
            CHECK(shown(client, "effective") == share);
        }
        CHECK(wait_until([&] {
            client.simple(search_near(1));
            return last(client, 0) == "veer";
        }));
        std::string route =
            console.ask("SELECT route FROM veer.routes WHERE relation = 'public.docs'");
        route.pop_back();
        const std::string completed = console.ask("COMPLETE '" + route + "'");
        CHECK(completed.find("first add a [[route]]") != std::string::npos);
        CHECK(completed.find("DROP INDEX") == std::string::npos);
        console.say("REOPEN docs");
        const auto begun = std::chrono::steady_clock::now();
        console.say("ROLLBACK docs REASON 'a test'");
        WARN("rolled back, stored and confirmed after " << milliseconds_since(begun) << " ms");
        CHECK(decided_otherwise(client, "percent") == 0);
        CHECK(
            console.refusal("PROMOTE docs TO 25 IF VERSION 1").find("(revision)") !=
            std::string::npos
        );
        CHECK(console.ask("PROMOTE docs TO 25 DRY RUN").find("would be") == 0);
        CHECK(shown(client, "effective") == "0");
        CHECK(
            console.ask("SELECT step_pct FROM veer.plan WHERE route LIKE '%docs%' LIMIT 2") ==
            "1\n5\n"
        );
        console.say("PROMOTE docs TO 25");
        CHECK(
            console.ask("SELECT action, from_state, to_state, reason FROM veer.audit LIMIT 2") ==
            "promote|shadow 0|canary 25|\nrollback|full 100|shadow 0|a test\n"
        );
        CHECK(
            console.ask("SELECT traffic, desired_pct, allowed_pct, effective_pct, next_step FROM "
                        "veer.routes WHERE relation = 'public.docs'") == "canary|25|25|25|50\n"
        );
        CHECK(console.ask("SELECT count(*) FROM veer.gates WHERE route LIKE '%docs%'") == "7\n");
        CHECK(
            console.ask("SELECT guard FROM veer.guards WHERE route LIKE '%docs%' AND guard IN "
                        "('correctness', 'recall_floor', 'lag') ORDER BY guard"
            ) == "correctness\nlag\nrecall_floor\n"
        );
        console.say("PROMOTE docs TO 50 FOR '1s'");
        CHECK(wait_until([&] { return shown(client, "effective") == "25"; }));
        console.say("PROMOTE docs TO 50 FOR '10m'");
        CHECK(shown(client, "effective") == "50");
        console.say("CONFIRM docs");
        CHECK(console.refusal("CONFIRM docs").find("(trial)") != std::string::npos);
        CHECK(
            console.ask("SELECT action, to_state FROM veer.audit WHERE action <> 'promote' LIMIT 2"
            ) == "confirm|canary 50\nlower|canary 25\n"
        );
        console.say("OFF docs");  // even for whoever chooses the index
        client.simple("SET veer.route = 'veer'");
        client.simple(search_near(1));
        CHECK(last(client, 0) == "postgres");
        client.simple("RESET veer.route");
        console.say("SHADOW docs");
        console.say("PROMOTE docs TO 25");
        crowd.stop();
        CHECK(crowd.failed() == 0);
        CHECK(crowd.lost() == 0);
        CHECK(crowd.asked() > 100);
    }
    playground.veer.stop(true);  // what was confirmed is there again
    const VeerProcess next(directory, playground.direct(), toml);
    Client client(next.dsn("user=postgres dbname=postgres"));
    CHECK(wait_until([&] { return shown(client, "effective") == "25"; }));
    CHECK(shown(client, "cutover") == "canary");
}

TEST_CASE("what COMPLETE advises can be done, and the index answers on", "[integration]") {
    const std::string toml = percent(100) + "[cutover]\ngated = false\n";
    Playground playground(toml);
    const std::filesystem::path directory = playground.directory / "veer";
    playground.postgres.exec(
        "CREATE TABLE parted (id bigint PRIMARY KEY, e vector(8)) PARTITION BY RANGE (id);"
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000);"
        "INSERT INTO parted SELECT i, random_vector(8) FROM generate_series(1, 100) i;"
        "CREATE INDEX ON parted USING hnsw (e vector_cosine_ops);"
    );
    const auto complete = [](Console& console, const std::string& table) {
        std::string route =
            console.ask("SELECT route FROM veer.routes WHERE relation = 'public." + table + "'");
        route.pop_back();
        return console.ask("COMPLETE '" + route + "'");
    };
    {
        Console console(directory, playground.veer);
        const std::string advice = complete(console, "docs");
        CHECK(
            advice.find("[[route]] with column = \"public.docs.e\" and operator = \"<=>\"") !=
            std::string::npos
        );
        CHECK(advice.find("DROP INDEX") == std::string::npos);
        console.say("REOPEN docs");
    }
    playground.veer.stop();
    const std::string routes =
        "[[route]]\ncolumn = \"public.docs.e\"\noperator = \"<=>\"\n"
        "[[route]]\ncolumn = \"public.parted.e\"\noperator = \"<=>\"\n";
    const VeerProcess next(directory, playground.direct(), toml + routes);
    Client client(next.dsn("user=postgres dbname=postgres"));
    Console console(directory, next);
    for (const std::string table : {"docs", "parted"}) {
        const std::string search =
            "SELECT id FROM " + table + " ORDER BY e <=> '[1,2,3,4,5,6,7,8]' LIMIT 5";
        REQUIRE(wait_until([&] {
            return shown(client, "state", table) == "live" &&
                   shown(client, "effective", table) == "100";
        }));
        const auto before = client.simple(search).rows;
        const std::string advice = complete(console, table);
        const std::size_t drop = advice.find("DROP INDEX ");
        REQUIRE(drop != std::string::npos);
        playground.postgres.exec(advice.substr(drop, advice.find(';') - drop));
        CHECK(wait_until([&] {
            return console.ask(
                       "SELECT mirrors FROM veer.indexes WHERE route LIKE 'public." + table + ".%'"
                   ) == "\n";
        }));
        CHECK(wait_until([&] {
            const auto after = client.simple(search).rows;
            CHECK(after == before);
            return last(client, 0) == "veer";
        }));
    }
}

TEST_CASE(
    "a broken index is found in shadow: nobody gets its answers, nor more of them", "[integration]"
) {
    const std::string toml =
        percent(0) +
        "[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\njudge_cores = 8\n" +
        "[sync]\nverify_rate = 0\n";  // which would repair what is broken
    Playground playground(toml);
    const std::filesystem::path directory = playground.directory / "veer";
    playground.veer.stop();
    break_copy(directory / "data");
    const VeerProcess broken(directory, playground.direct(), toml);
    const std::string as_me = broken.dsn("user=postgres dbname=postgres");
    Client client(as_me);
    REQUIRE(wait_until([&] { return shown(client, "state", "points") == "live"; }));
    Console console(directory, broken);
    Crowd crowd(as_me);
    console.say("SHADOW docs");
    console.say("SHADOW points");
    const auto begun = std::chrono::steady_clock::now();
    int searches = 0;
    const auto near_ghosts = [&searches] {
        return "SELECT id, n FROM points ORDER BY e <-> '[0.0" + std::to_string(++searches) +
               ",0,0,0,0,0,0,0]' LIMIT 10";
    };
    std::string worst;  // where the machine is slow, another guard may trip before this is seen
    REQUIRE(wait_until([&] {
        CHECK(client.simple(near_ghosts()).rows.size() == 10);
        worst = console.ask("SELECT id FROM veer.mismatches WHERE class = 'invisible_row' LIMIT 1");
        return !worst.empty() && shown(client, "why", "points") == "tripped";
    }));
    WARN("a row that nobody has was found after " << milliseconds_since(begun) << " ms");
    CHECK(console.refusal("PROMOTE points TO 1").find("(tripped)") != std::string::npos);
    CHECK(wait_until([&] {
        return console.refusal("PROMOTE docs TO 1").find("(gates)") != std::string::npos;
    }));
    client.simple("SET veer.route = 'veer'");  // not even who asks for the index gets it
    CHECK(client.simple(near_ghosts()).rows.size() == 10);
    CHECK(last(client, 1) == "tripped");
    crowd.stop();
    CHECK(crowd.failed() == 0);
    CHECK(crowd.lost() == 0);
    CHECK(wait_until([&] { return broken.log().find("correctness") != std::string::npos; }));
    CHECK(
        console.ask("SELECT count(*) FROM veer.compare WHERE hard_classes LIKE '%invisible_row%'"
        ) == "1\n"
    );
    CHECK(console.ask("SELECT count(*) FROM veer.recall WHERE engine = 'postgres'") != "0\n");
    CHECK(console.ask("SELECT count(*) FROM veer.latency WHERE kind = 'paired'") != "0\n");
    const std::string replayed = console.ask("REPLAY MISMATCH " + worst + " EF 100");
    CHECK(replayed.find("|then|400|invisible_row|hard|") != std::string::npos);
    CHECK(replayed.find("|now|100|invisible_row|hard|") != std::string::npos);
    CHECK(console.refusal("REPLAY MISMATCH 999999").find("is kept") != std::string::npos);
    const std::string three = console.ask("MISMATCH " + worst);  // as they were, side by side
    CHECK(three.find("|invisible_row|") != std::string::npos);
    CHECK(std::count(three.begin(), three.end(), '\n') == 10);
    console.say("ACKNOWLEDGE points");
    CHECK(shown(client, "why", "points").empty());
}

TEST_CASE("hints and rules lower the share, and postgres wins among them", "[integration]") {
    Playground playground(
        percent(100) +
        "[[rule]]\nid = 10\napplication = 'billing'\npin = 'postgres'\n"
        "[[rule]]\nid = 20\ntag = 'app=batch'\nmax_percent = 0\n"
    );
    Client client(playground.through());
    const auto goes = [&](const std::string& comment) {
        client.simple(search_near(1, comment));
        return last(client, 0) + ' ' + last(client, 1);
    };
    CHECK(goes("") == "veer local");
    CHECK(goes("/* veer: route=postgres */") == "postgres hint");
    CHECK(goes("/* NO LOAD BALANCE */") == "postgres hint");
    CHECK(goes("/*app='batch'*/") == "postgres percent");
    CHECK(goes("/*app='web'*/") == "veer local");
    client.simple("SET veer.route = 'veer'");
    CHECK(goes("/* veer: route=postgres */") == "postgres hint");
    CHECK(goes("/*app='batch'*/") == "veer local");  // a ceiling is no pin
    client.simple("SET application_name = 'billing'");
    CHECK(goes("/* veer: route=veer */") == "postgres rule");
    client.simple("RESET application_name; RESET veer.route");
    CHECK(goes("") == "veer local");
}

TEST_CASE("a share by role is all or nothing for a role", "[integration]") {
    Playground playground("[defaults]\npercent = 50\nsticky_by = 'role'\n");
    Client client(playground.through());
    const int answered = decided_otherwise(client, "percent");
    CHECK((answered == 0 || answered == 200));
}

}  // namespace veer::tests
