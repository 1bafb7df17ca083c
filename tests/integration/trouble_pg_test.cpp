#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>
#include <libpq-fe.h>

#include <csignal>
#include <fstream>
#include <future>

// Things that go wrong: what clients are told, and that everybody else is left in peace.

namespace veer::tests {

namespace {

const std::string search =
    "SELECT id FROM docs ORDER BY e <=> '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]' LIMIT 5";

std::string of_first_route(Client& client, std::size_t column) {
    const Outcome routes = client.simple("SHOW veer.routes");
    return routes.rows.empty() ? "" : routes.rows[0].at(column).value_or("");
}

std::string state_of_first_route(Client& client) {
    return of_first_route(client, 4);
}

std::string reason_of_first_route(Client& client) {
    return of_first_route(client, 10);
}

}  // namespace

TEST_CASE(
    "an upstream that is down is told with 08001, and served when it is back", "[integration]"
) {
    Playground playground("[defaults]\npercent = 100\n");
    Client session(playground.through());
    Client watcher(playground.direct());
    auto running =
        std::async(std::launch::async, [&] { return session.simple("SELECT pg_sleep(60)"); });
    REQUIRE(wait_until([&] {
        return watcher
                   .simple(
                       "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
                   )
                   .value() == "1";
    }));
    playground.postgres.stop_immediate();
    CHECK(running.get().status == "PGRES_FATAL_ERROR");
    const std::string told = PQerrorMessage(session.raw());
    CHECK(told.find("the connection to the upstream server was lost") != std::string::npos);
    try {
        const Client refused(playground.through());
        FAIL("connected to a server that is down");
    } catch (const std::runtime_error& error) {
        CHECK(
            std::string(error.what()).find("could not connect to the upstream") != std::string::npos
        );
    }
    playground.postgres.start();
    Client again(playground.through());
    CHECK(again.simple("SELECT 1").value() == "1");
    CHECK(wait_until([&] {
        again.simple(search);
        return again.simple("SHOW veer.last").rows[0][0] == "veer";
    }));
}

TEST_CASE("a restart resumes from the store, without copying again", "[integration]") {
    PostgresServer postgres;
    postgres.exec(
        "CREATE TABLE t (id int PRIMARY KEY, e vector(2)); INSERT INTO t SELECT i, ARRAY[i, "
        "1]::vector"
        " FROM generate_series(1, 500) i; CREATE INDEX ON t USING hnsw (e vector_l2_ops)"
    );
    const auto directory = std::filesystem::temp_directory_path() /
                           ("veer-restart-" + std::to_string(postgres.port()));
    for (int run = 0; run < 3; ++run) {
        VeerProcess veer(directory, postgres.dsn(), "[defaults]\npercent = 100\n");
        Client client(veer.dsn("user=postgres dbname=postgres"));
        REQUIRE(wait_until([&] { return state_of_first_route(client) == "live"; }));
        const bool copied = veer.log().find("copying 1 tables") != std::string::npos;
        CHECK(copied == (run == 0));
        CHECK(
            client.simple("SELECT id FROM t ORDER BY e <-> '[77,1]' LIMIT 1").value() ==
            (run == 2 ? "999" : "77")
        );
        veer.stop(run == 1);
        if (run == 1) {
            postgres.exec("INSERT INTO t VALUES (999, '[77,1]'); DELETE FROM t WHERE id = 77");
        }
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE("wal_level that is not logical is named, and veer is a plain proxy", "[integration]") {
    PostgresServer postgres({"wal_level = replica"});
    postgres.exec(
        "CREATE TABLE t (id int PRIMARY KEY, e vector(2)); CREATE INDEX ON t USING hnsw (e "
        "vector_l2_ops)"
    );
    const auto directory =
        std::filesystem::temp_directory_path() / ("veer-plain-" + std::to_string(postgres.port()));
    {
        VeerProcess veer(directory, postgres.dsn(), "[defaults]\npercent = 100\n");
        Client client(veer.dsn("user=postgres dbname=postgres"));
        CHECK(wait_until([&] { return veer.log().find("wal_level") != std::string::npos; }));
        CHECK(
            client.simple("SELECT count(*) FROM (SELECT * FROM t ORDER BY e <-> '[1,2]' LIMIT 1) s")
                .value() == "0"
        );
        CHECK(wait_until([&] {  // the log may hear of it first
            return reason_of_first_route(client).find("wal_level") != std::string::npos;
        }));
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE("a directory that cannot be written leaves pass-through alive", "[integration]") {
    PostgresServer postgres;
    postgres.exec(
        "CREATE TABLE t (id int PRIMARY KEY, e vector(2)); CREATE INDEX ON t USING hnsw (e "
        "vector_l2_ops)"
    );
    const auto directory = std::filesystem::temp_directory_path() /
                           ("veer-unwritable-" + std::to_string(postgres.port()));
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "data") << "a file where the directory should be";
    {
        VeerProcess veer(directory, postgres.dsn(), "[defaults]\npercent = 100\n");
        Client client(veer.dsn("user=postgres dbname=postgres"));
        CHECK(wait_until([&] { return !reason_of_first_route(client).empty(); }));
        CHECK(client.simple("SELECT count(*) FROM t").value() == "0");
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE(
    "a reload that is wrong changes nothing; SIGUSR2 sends everything to Postgres", "[integration]"
) {
    Playground playground("[defaults]\npercent = 100\n");
    Client client(playground.through());
    playground.veer.reload("[defaults]\npercentt = 1\n");
    CHECK(wait_until([&] { return playground.veer.log().find("did you mean") != std::string::npos; }
    ));
    client.simple(search);
    CHECK(client.simple("SHOW veer.last").rows[0][0] == "veer");
    playground.veer.signal(SIGUSR2);
    CHECK(wait_until([&] {
        client.simple(search);
        return client.simple("SHOW veer.last").rows[0][1] == "panic";
    }));
}

TEST_CASE("SIGTERM ends veer with exit code 0", "[integration]") {
    Playground playground("");
    Client client(playground.through());
    CHECK(playground.veer.stop() == 0);
}

TEST_CASE(
    "a table is copied while others are searched: not one search goes astray", "[integration]"
) {
    Playground playground("[defaults]\npercent = 100\n");
    Client session(playground.through());
    session.simple(search);
    REQUIRE(session.simple("SHOW veer.last").rows[0][0] == "veer");
    Client owner(playground.direct());
    const auto make = [&](const std::string& name) {
        const Outcome made = owner.simple(
            "CREATE TABLE " + name +
            " (id bigint PRIMARY KEY, e vector(4));"
            "INSERT INTO " +
            name +
            " SELECT i, ARRAY[i, 1, sin(i), 2]::vector FROM generate_series(1, 1000) i;"
            "CREATE INDEX ON " +
            name + " USING ivfflat (e vector_l2_ops) WITH (lists = 1)"
        );
        REQUIRE(made.message.empty());
    };
    const auto state = [&](const std::string& table) {
        for (const auto& row : session.simple("SHOW veer.routes").rows) {
            if (row.at(1) == table) {
                return row.at(4).value_or("");
            }
        }
        return std::string{};
    };
    int searches = 0;
    int astray = 0;
    const auto until_live = [&](const std::string& table) {
        return wait_until([&] {
            for (int round = 0; round < 5; ++round) {
                session.simple(search);
                astray += session.simple("SHOW veer.last").rows[0][0] == "veer" ? 0 : 1;
                ++searches;
            }
            return state(table) == "live";
        });
    };
    make("late");
    CHECK(until_live("public.late"));
    owner.simple("ALTER TABLE late ALTER e TYPE vector(4) USING (e + e)::vector(4)");
    owner.simple("INSERT INTO late VALUES (0, '[0,0,0,0]')");
    make("later");
    const bool later_is_live = until_live("public.later");
    INFO(playground.veer.log());
    CHECK(later_is_live);
    CHECK(until_live("public.late"));
    CHECK(searches > 20);
    CHECK(astray == 0);
    CHECK(session.simple("SELECT id FROM late ORDER BY e <-> '[0,0,0,0]' LIMIT 1").value() == "0");
    CHECK(session.simple("SHOW veer.last").rows[0][0] == "veer");
}

}  // namespace veer::tests
