#include "tests/integration/crowd.hpp"
#include "tests/integration/operating.hpp"
#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

// A route whose searches another server answers: the same cutover and comparison, for an upgrade.

namespace veer::tests {

namespace {

std::string engine_at(
    const PostgresServer& other, const std::string& percent, const std::string& more = ""
) {
    return "[[route]]\ncolumn = 'public.docs.e'\noperator = '<=>'\nfreshness = 'eventual'\nengine "
           "= '" +
           other.dsn() + "'\npercent = " + percent + "\n" + more;
}

/// Nothing that changed explains a difference.
const std::string no_lag = "engine_lag_max = '0s'\n";

const std::string all_compared =
    "[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\njudge_cores = 8\n";

const std::string vector = "'[0.5,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]'";

std::string compared(Client& client, const std::string& column) {
    const Outcome shown = client.simple("SHOW veer.compare");
    for (std::size_t i = 0; i < shown.columns.size() && !shown.rows.empty(); ++i) {
        if (shown.columns[i].name == column) {
            return shown.rows[0][i].value_or("");
        }
    }
    return "";
}

/// Searches for something new each time until so many have been compared.
bool search_until_compared(Client& client, int& searches, int count) {
    return wait_until([&] {
        const Outcome found = client.simple(
            "SELECT id FROM docs ORDER BY e <=> '[0." + std::to_string(++searches) +
            ",-0.2,0,0.4,-0.5,0,0,1]' LIMIT 5"
        );
        CHECK(found.rows.size() == 5);
        return std::stoi("0" + compared(client, "compared")) >= count;
    });
}

}  // namespace

TEST_CASE(
    "another server answers in the index' place, and Postgres when it is gone", "[integration]"
) {
    PostgresServer other;
    Playground::make_tables(other);
    Playground playground(engine_at(other, "100"));
    Client direct(playground.direct());
    Client client(playground.through());
    const std::vector<std::string> statements{
        "SELECT id, e <=> " + vector + " AS d FROM docs ORDER BY d LIMIT 5",
        "SELECT id, category, made FROM docs ORDER BY e <=> " + vector + " LIMIT 7 OFFSET 2",
        "SELECT id FROM docs WHERE category IN (3, 4) AND made > '2024-02-01 00:00:00+00' ORDER BY "
        "e <=> " +
            vector + " LIMIT 5",
        "SELECT id, title FROM docs WHERE category = 3 ORDER BY e <=> " + vector + " LIMIT 5"};
    for (const std::string& sql : statements) {
        INFO(sql);
        // A server that is slow to answer is left alone for a moment.
        CHECK(wait_until([&] {
            CHECK(client.simple(sql) == direct.simple(sql));
            return last(client, 0) == "veer";
        }));
        CHECK(wait_until([&] {
            CHECK(client.extended(sql, {}, true) == direct.extended(sql, {}, true));
            return last(client, 0) == "veer";
        }));
    }
    // A row that it alone has, as one that is on its way would be, shows who has answered.
    other.exec("INSERT INTO docs VALUES (99999, 'new', 3, now(), " + vector + ")");
    CHECK(wait_until([&] { return client.simple(statements[0]).value() == "99999"; }));
    client.simple("SET veer.freshness = 'causal'");
    CHECK(client.simple(statements[0]) == direct.simple(statements[0]));
    CHECK(last(client, 1) == "behind");
    client.simple("RESET veer.freshness");
    Crowd crowd(playground.through());
    REQUIRE(wait_until([&] { return crowd.asked() > 100; }));
    other.stop_immediate();
    // Postgres answers each search that it fails, and the guard takes the rest back.
    CHECK(wait_until([&] {
        CHECK(client.simple(statements[0]) == direct.simple(statements[0]));
        const Outcome reasons = client.simple("SHOW veer.reasons");
        bool counted = false;
        for (const auto& row : reasons.rows) {
            for (const auto& field : row) {
                counted = counted || field == "engine";
            }
        }
        return counted && shown(client, "effective") != "100";
    }));
    const int asked = crowd.asked();
    REQUIRE(wait_until([&] { return crowd.asked() > asked + 100; }));
    crowd.stop();
    CHECK(crowd.failed() == 0);
    CHECK(crowd.lost() == 0);
}

TEST_CASE("another server is compared with the one that answers today", "[integration]") {
    PostgresServer other;
    Playground::make_tables(other);
    Playground playground(engine_at(other, "0", no_lag) + all_compared);
    Client client(playground.through());
    Console console(playground.directory / "veer", playground.veer);
    console.say("SHADOW docs");
    int searches = 0;
    REQUIRE(search_until_compared(client, searches, 20));
    CHECK(compared(client, "hard") == "0");
    CHECK(compared(client, "recall").starts_with("1"));
    // It lacks rows: a loss. It has one that nobody should get: a wrong answer, and the route is
    // closed.
    other.exec(
        "DELETE FROM docs WHERE id IN (SELECT id FROM docs ORDER BY e <=> "
        "'[0.3,-0.2,0,0.4,-0.5,0,0,1]' LIMIT 3)"
    );
    REQUIRE(search_until_compared(client, searches, 60));
    // Not every search is compared, and not each of those is near the rows that it lacks.
    CHECK(wait_until([&] {
        search_until_compared(client, searches, 0);
        return compared(client, "veer_missed") != "0";
    }));
    CHECK(compared(client, "hard") == "0");
    other.exec(
        "INSERT INTO docs SELECT 90000 + i, 'new', 3, now(), ('[0.' || i || "
        "',-0.2,0,0.4,-0.5,0,0,1]')::vector "
        "FROM generate_series(1, 999) i"
    );
    CHECK(wait_until([&] {
        search_until_compared(client, searches, 0);
        return shown(client, "why") == "tripped";
    }));
    CHECK(wait_until([&] {
        return compared(client, "hard_classes").find("invisible_row") != std::string::npos;
    }));
}

TEST_CASE(
    "what veer cannot know to have changed is no wrong answer of another server's", "[integration]"
) {
    PostgresServer other;
    Playground::make_tables(other);
    // A row that was deleted before veer began to follow, and that the other server still has.
    other.exec(
        "INSERT INTO docs SELECT 90000 + i, 'old', 3, now(), ('[0.' || i || "
        "',-0.2,0,0.4,-0.5,0,0,1]')::vector FROM generate_series(1, 99) i"
    );
    Playground playground(engine_at(other, "0", "engine_lag_max = '24h'\n") + all_compared);
    Client client(playground.through());
    Console console(playground.directory / "veer", playground.veer);
    console.say("SHADOW docs");
    int searches = 0;
    REQUIRE(search_until_compared(client, searches, 20));
    CHECK(compared(client, "hard") == "0");
    CHECK(compared(client, "excluded") != "0");
    CHECK(compared(client, "excluded_classes").starts_with("uncovered "));
    CHECK(shown(client, "why").empty());
    // Too much of it, and there is no raise.
    CHECK(
        console.ask("SELECT verdict FROM veer.gates WHERE gate = 'noise' AND route LIKE '%docs%'"
        ) == "inconclusive\n"
    );
}

TEST_CASE("another server's distance may have another name", "[integration]") {
    PostgresServer other;
    Playground::make_tables(other);
    other.exec(
        "CREATE SCHEMA next;"
        "CREATE FUNCTION next.far(vector, vector) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT "
        "PARALLEL SAFE AS 'SELECT $1 OPERATOR(public.<=>) $2';"
        "CREATE OPERATOR next.<~~> (LEFTARG = vector, RIGHTARG = vector, PROCEDURE = "
        "public.cosine_distance);"
        // With a square that orders alike, and is no distance.
        "CREATE FUNCTION next.square(vector, vector) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT "
        "AS 'SELECT ($1 OPERATOR(public.<=>) $2) ^ 2';"
        "CREATE OPERATOR next.<^> (LEFTARG = vector, RIGHTARG = vector, PROCEDURE = next.square)"
    );
    Playground playground(engine_at(other, "100"));
    Client direct(playground.direct());
    Client client(playground.through());
    const std::string search = "SELECT id, e <=> " + vector + " AS d FROM docs ORDER BY d LIMIT 5";
    const auto expected = direct.simple(search);
    const auto name = [&](const std::string& names) {
        playground.veer.reload(engine_at(other, "100", names));
    };
    for (const std::string names :
         {"engine_function = 'far'\n",
          "engine_function = 'next.far'\n",
          "engine_operator = '<~~>'\n",
          "engine_operator = '<^>'\nengine_function = 'far'\n"}) {
        INFO(names);
        name(names);
        CHECK(wait_until([&] {
            CHECK(client.simple(search) == expected);
            return last(client, 0) == "veer";
        }));
    }
    for (const std::string names :
         {"engine_function = 'public.far'\n",
          "engine_operator = '<^>'\nengine_function = 'nothing'\n"}) {
        INFO(names);
        name(names);
        CHECK(wait_until([&] {
            CHECK(client.simple(search) == expected);  // Postgres' own
            return last(client, 0) == "postgres" && last(client, 1) == "engine";
        }));
    }
}

}  // namespace veer::tests
