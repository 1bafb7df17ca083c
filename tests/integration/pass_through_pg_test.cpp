#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>
#include <libpq-fe.h>
#include <sys/socket.h>

#include <cstdlib>
#include <future>

// What every driver needs besides queries, through a veer that has something to serve.

namespace veer::tests {

namespace {

std::string copied_out(pg_conn* connection, const std::string& sql) {
    PQclear(PQexec(connection, sql.c_str()));
    std::string data;
    char* row = nullptr;
    for (int length = PQgetCopyData(connection, &row, 0); length > 0;
         length = PQgetCopyData(connection, &row, 0)) {
        data.append(row, static_cast<std::size_t>(length));
        PQfreemem(row);
    }
    PGresult* end = PQgetResult(connection);
    CHECK(PQresultStatus(end) == PGRES_COMMAND_OK);
    PQclear(end);
    PQclear(PQgetResult(connection));
    return data;
}

ExecStatusType copy_in(pg_conn* connection, const std::string& sql, const std::string& data) {
    PQclear(PQexec(connection, sql.c_str()));
    constexpr std::size_t piece = 60'000;
    for (std::size_t at = 0; at < data.size(); at += piece) {
        const std::string part = data.substr(at, piece);
        PQputCopyData(connection, part.data(), static_cast<int>(part.size()));
    }
    PQputCopyEnd(connection, nullptr);
    PGresult* end = PQgetResult(connection);
    const ExecStatusType status = PQresultStatus(end);
    PQclear(end);
    PQclear(PQgetResult(connection));
    return status;
}

std::string through_pgbench(int port, const std::string& arguments) {
    const std::string command =
        "PATH=\"$PATH:$(pg_config --bindir):$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)\" "
        "pgbench -h 127.0.0.1 -p " +
        std::to_string(port) + " -U postgres " + arguments + " postgres 2>&1";
    FILE* output = popen(command.c_str(), "r");
    std::string text;
    char line[256];
    while (fgets(line, sizeof line, output) != nullptr) {
        text += line;
    }
    CHECK(pclose(output) == 0);
    return text;
}

}  // namespace

TEST_CASE("COPY moves megabytes out of and into Postgres unchanged", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client direct(playground.direct());
    Client through(playground.through());
    const std::string query =
        "COPY (SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i) TO STDOUT";
    const std::string data = copied_out(through.raw(), query);
    CHECK(data == copied_out(direct.raw(), query));
    through.simple("CREATE TABLE copied (i int, t text)");
    CHECK(copy_in(through.raw(), "COPY copied FROM STDIN", data) == PGRES_COMMAND_OK);
    CHECK(copied_out(direct.raw(), "COPY copied TO STDOUT") == data);
    CHECK(copy_in(through.raw(), "COPY copied FROM STDIN", "not a row\n") == PGRES_FATAL_ERROR);
    CHECK(through.simple("SELECT count(*) FROM copied").value() == "50000");
}

TEST_CASE("notifications reach a listening client", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client listener(playground.through());
    Client notifier(playground.through());
    listener.simple("LISTEN news");
    notifier.simple("NOTIFY news, 'hello'");
    PGnotify* notification = nullptr;
    CHECK(wait_until([&] {
        PQconsumeInput(listener.raw());
        notification = PQnotifies(listener.raw());
        return notification != nullptr;
    }));
    REQUIRE(notification != nullptr);
    CHECK(std::string(notification->extra) == "hello");
    PQfreemem(notification);
}

TEST_CASE("a cancel request stops the statement that runs", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client through(playground.through());
    Client watcher(playground.direct());
    PGcancel* cancel = PQgetCancel(through.raw());
    auto running =
        std::async(std::launch::async, [&] { return through.simple("SELECT pg_sleep(60)"); });
    REQUIRE(wait_until([&] {
        return watcher
                   .simple(
                       "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
                   )
                   .value() == "1";
    }));
    char problem[256];
    CHECK(PQcancel(cancel, problem, sizeof problem) == 1);
    PQfreeCancel(cancel);
    CHECK(running.get().sqlstate == "57014");
    CHECK(through.simple("SELECT 1").value() == "1");
}

TEST_CASE("authentication and start-up errors are Postgres' own", "[integration]") {
    Playground playground("[defaults]\npercent = 0\n");
    const auto problem = [](const std::string& dsn) {
        try {
            const Client client(dsn);
            return std::string("connected");
        } catch (const std::runtime_error& error) {
            const std::string text = error.what();
            return text.substr(text.find("FATAL"));
        }
    };
    for (const std::string rest : {"user=postgres dbname=nowhere", "user=nobody dbname=postgres"}) {
        CHECK(
            problem(playground.veer.dsn(rest)) ==
            problem(
                "host=127.0.0.1 port=" + std::to_string(playground.postgres.port()) + " " + rest
            )
        );
    }
}

TEST_CASE("pgbench runs all its modes through veer without an error", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    through_pgbench(playground.veer.port(), "-i -s 1 -q");
    for (const std::string mode : {"simple", "extended", "prepared"}) {
        const std::string read =
            through_pgbench(playground.veer.port(), "-n -S -c 4 -t 200 -M " + mode);
        CHECK(read.find("number of failed transactions: 0 ") != std::string::npos);
        const std::string write =
            through_pgbench(playground.veer.port(), "-n -c 16 -t 20 -M " + mode);
        CHECK(write.find("number of failed transactions: 0 ") != std::string::npos);
    }
}

TEST_CASE("a large value written after a search arrives", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client client(playground.through());
    client.simple("CREATE TABLE blobs (b bytea)");
    client.simple("BEGIN");
    client.extended("SELECT id FROM docs ORDER BY e <=> $1 LIMIT 3", {"[1,1,1,1,1,1,1,1]"});
    CHECK(client.simple("SHOW veer.last").rows[0][1] == "local");
    const std::string blob = "\\\\x" + std::string(std::size_t{3} << 20U, 'a');
    CHECK(
        client.extended("INSERT INTO blobs VALUES ($1::bytea)", {blob.substr(1)}).tag ==
        "INSERT 0 1"
    );
    client.simple("COMMIT");
    CHECK(client.simple("SELECT count(*) FROM blobs").value() == "1");
}

TEST_CASE(
    "what a client pipelined behind a search is carried out though it closes at once",
    "[integration]"
) {
    Playground playground("[defaults]\npercent = 100\n");
    Client watcher(playground.direct());
    watcher.simple("CREATE TABLE written (n int)");
    for (int n = 1; n <= 20; ++n) {
        const Client client(playground.through());
        std::string bytes;
        for (const std::string sql :
             {"SELECT title FROM docs ORDER BY e <=> '[1,1,1,1,1,1,1,1]' LIMIT 3",
              "INSERT INTO written VALUES (1)"}) {
            const auto length = static_cast<std::uint32_t>(sql.size() + 5);
            bytes += 'Q';
            for (const unsigned shift : {24U, 16U, 8U, 0U}) {
                bytes += static_cast<char>(length >> shift);
            }
            bytes += sql + '\0';
        }
        CHECK(
            send(PQsocket(client.raw()), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size())
        );
    }
    CHECK(wait_until([&] { return watcher.simple("SELECT count(*) FROM written").value() == "20"; })
    );
}

TEST_CASE("a cancel ends a search that waits in Postgres", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client through(playground.through());
    Client locker(playground.direct());
    Client watcher(playground.direct());
    locker.simple("BEGIN; LOCK TABLE docs IN ACCESS EXCLUSIVE MODE");
    PGcancel* cancel = PQgetCancel(through.raw());
    auto running = std::async(std::launch::async, [&] {
        return through.simple("SELECT title FROM docs ORDER BY e <=> '[1,1,1,1,1,1,1,1]' LIMIT 3");
    });
    REQUIRE(wait_until([&] {
        return watcher
                   .simple(
                       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                       "query LIKE 'SELECT title%'"
                   )
                   .value() == "1";
    }));
    char problem[256];
    CHECK(PQcancel(cancel, problem, sizeof problem) == 1);
    PQfreeCancel(cancel);
    CHECK(running.get().sqlstate == "57014");
    locker.simple("ROLLBACK");
    CHECK(
        through.simple("SELECT title FROM docs ORDER BY e <=> '[1,1,1,1,1,1,1,1]' LIMIT 3")
            .rows.size() == 3
    );
}

}  // namespace veer::tests
