#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>

// A veer that was killed goes on from its checkpoint: its graph is not built again, and shows what
// the table has.

namespace veer::tests {

namespace {

const std::string toml =
    "[defaults]\npercent = 100\n[storage]\ncheckpoint_interval = \"1s\"\n[log]\nlevel = "
    "\"debug\"\n";

std::optional<std::string> column_of_route(Client& client, std::size_t column) {
    const Outcome routes = client.simple("SHOW veer.routes");
    return routes.rows.empty() ? std::nullopt : routes.rows[0].at(column);
}

/// Started and live; what SHOW veer.routes says of the graph.
std::string graph(VeerProcess& veer) {
    Client client(veer.dsn("user=postgres dbname=postgres"));
    REQUIRE(wait_until([&] { return column_of_route(client, 4) == "live"; }));
    CHECK(client.simple("SELECT id FROM t ORDER BY e <-> '[77,1]' LIMIT 1").value() == "999");
    CHECK(client.simple("SHOW veer.last").rows[0][0] == "veer");
    return column_of_route(client, 12).value_or("");
}

void flip_bytes(const std::filesystem::path& directory) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const std::string extension = entry.path().extension();
        if (extension != ".sst" && extension != ".log") {
            continue;
        }
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        for (std::uint64_t at = 100; at + 100 < entry.file_size(); at += 1000) {
            file.seekp(static_cast<std::streamoff>(at));
            file.put('\x5A');
        }
    }
}

}  // namespace

TEST_CASE("a veer that was killed searches in its checkpoint's graph", "[integration]") {
    PostgresServer postgres;
    postgres.exec(
        "CREATE TABLE t (id int PRIMARY KEY, e vector(2)); INSERT INTO t SELECT i, ARRAY[i, "
        "1]::vector FROM generate_series(1, 500) i; UPDATE t SET id = 999 WHERE id = 77;"
        "CREATE INDEX ON t USING hnsw (e vector_l2_ops)"
    );
    const auto directory = std::filesystem::temp_directory_path() /
                           ("veer-checkpoint-" + std::to_string(postgres.port()));
    {
        VeerProcess veer(directory, postgres.dsn(), toml);
        CHECK(graph(veer) == "built");
        REQUIRE(wait_until([&] {
            return veer.log().find("checkpoint of public.t.e <->") != std::string::npos;
        }));
        veer.stop(true);
    }
    postgres.exec("UPDATE t SET e = '[1000,1]' WHERE id = 5; DELETE FROM t WHERE id = 6");
    {
        VeerProcess veer(directory, postgres.dsn(), toml);
        CHECK(graph(veer) == "checkpoint, 0 of 500 rows linked anew");  // what followed came later
        CHECK(veer.log().find("copying") == std::string::npos);
        CHECK(veer.log().find("500 rows as they were, 0 linked anew") != std::string::npos);
        Client client(veer.dsn("user=postgres dbname=postgres"));
        CHECK(wait_until([&] {
            return client.simple("SELECT id FROM t ORDER BY e <-> '[1000,1]' LIMIT 1").value() ==
                   "5";
        }));
        CHECK(veer.stop() == 0);
    }
    {
        VeerProcess veer(directory, postgres.dsn(), toml);
        CHECK(graph(veer) == "checkpoint, 0 of 499 rows linked anew");  // written at the stop
        veer.stop(true);
    }
    flip_bytes(directory / "data" / "graphs");
    {
        VeerProcess veer(directory, postgres.dsn(), toml);
        CHECK(graph(veer) == "built");
        CHECK(veer.log().find("copying") == std::string::npos);
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE("a veer that was killed has its vectors in a file again", "[integration]") {
    PostgresServer postgres;
    postgres.exec(
        "CREATE TABLE t (id int PRIMARY KEY, e vector(256)); INSERT INTO t SELECT i, "
        "(array_fill(0::real, '{254}') || ARRAY[i, 1]::real[])::vector FROM generate_series(1, "
        "3000) i; CREATE INDEX ON t USING hnsw (e vector_l2_ops)"
    );
    const auto directory =
        std::filesystem::temp_directory_path() / ("veer-file-" + std::to_string(postgres.port()));
    const auto nearest = [](Client& client) {
        const std::string at = "(array_fill(0::real, '{254}') || ARRAY[77, 1]::real[])::vector";
        return client.simple("SELECT id FROM t ORDER BY e <-> " + at + " LIMIT 1").value();
    };
    std::string in_file = toml;
    in_file.insert(in_file.find("checkpoint_interval"), "vectors = \"file\"\n");
    for (const char* const built : {"built", "checkpoint, 0 of 3000 rows linked anew"}) {
        VeerProcess veer(directory, postgres.dsn(), in_file);
        Client client(veer.dsn("user=postgres dbname=postgres"));
        REQUIRE(wait_until([&] { return column_of_route(client, 4) == "live"; }));
        CHECK(column_of_route(client, 12) == built);
        const auto stored = std::stoull(column_of_route(client, 23).value());
        CHECK(stored > std::size_t{3000} * 256 * sizeof(float));
        CHECK(std::stoull(column_of_route(client, 24).value()) <= stored);
        CHECK(std::stoull(column_of_route(client, 11).value()) < stored);
        CHECK(nearest(client) == "77");
        CHECK(std::filesystem::is_empty(directory / "data" / "vectors"));
        REQUIRE(wait_until([&] {
            return veer.log().find("checkpoint of public.t.e <->") != std::string::npos ||
                   built[0] == 'c';
        }));
        veer.stop(true);
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE(
    "a route that would take too much memory is refused, and others are not", "[integration]"
) {
    PostgresServer postgres;
    postgres.exec(
        "CREATE TABLE big (id int PRIMARY KEY, e vector(32)); CREATE TABLE t (id int PRIMARY KEY, "
        "e "
        "vector(2)); INSERT INTO big SELECT i, array_fill(i, '{32}')::vector FROM "
        "generate_series(1,"
        "1000) i; INSERT INTO t VALUES (999, '[77,1]'); CREATE INDEX ON big USING hnsw (e "
        "vector_l2_ops); CREATE INDEX ON t USING hnsw (e vector_l2_ops)"
    );
    const auto directory =
        std::filesystem::temp_directory_path() / ("veer-budget-" + std::to_string(postgres.port()));
    VeerProcess veer(
        directory,
        postgres.dsn(),
        toml + "[[route]]\ncolumn = \"public.big.e\"\noperator = \"<->\"\nmemory_max = \"64KiB\"\n"
    );
    Client client(veer.dsn("user=postgres dbname=postgres"));
    const auto states = [&] {
        std::string all;
        for (const auto& row : client.simple("SHOW veer.routes").rows) {
            all += row.at(4).value_or("") + ' ';
        }
        return all;
    };
    REQUIRE(wait_until([&] { return states() == "refused live "; }));
    const std::string reason = column_of_route(client, 10).value_or("");
    CHECK(reason.find(" bytes of memory for ") != std::string::npos);
    CHECK(reason.find("65536 are allowed (memory_max of its route)") != std::string::npos);
    CHECK(veer.log().find("public.big.e <-> is left to Postgres") != std::string::npos);
    CHECK(client.simple("SELECT id FROM t ORDER BY e <-> '[1,1]' LIMIT 1").value() == "999");
    CHECK(client.simple("SHOW veer.last").rows[0][0] == "veer");
    const std::string zeros = "array_fill(3, '{32}')::vector";
    CHECK(client.simple("SELECT id FROM big ORDER BY e <-> " + zeros + " LIMIT 1").value() == "3");
    CHECK(client.simple("SHOW veer.last").rows[0][0] == "postgres");
    veer.stop();
    std::filesystem::remove_all(directory);
}

}  // namespace veer::tests
