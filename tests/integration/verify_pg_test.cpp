#include "storage/store/store.hpp"
#include "tests/support/client.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/veer_process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>

// veer verify: what it says, what its exit code says, and what is found once it has been there.

namespace veer::tests {

namespace {

const std::string toml = "[defaults]\npercent = 100\n[sync]\nverify_rate = 0\n";

bool live(const VeerProcess& veer) {
    return wait_until([&] {
        Client client(veer.dsn("user=postgres dbname=postgres"));
        const Outcome routes = client.simple("SHOW veer.routes");
        return !routes.rows.empty() && routes.rows[0].at(4) == "live";
    });
}

/// In a session of its own: who answered, and the nearest row to one of the table.
std::string nearest(const VeerProcess& veer) {
    Client client(veer.dsn("user=postgres dbname=postgres"));
    const std::string id =
        client.simple("SELECT id FROM t ORDER BY e <-> '[77,1]' LIMIT 1").value();
    return client.simple("SHOW veer.last").rows[0][0].value_or("") + ' ' + id;
}

/// The copy of t loses one row, and gets another's vector wrong. Nobody may have it open.
void damage(const std::filesystem::path& data) {
    auto store = storage::store::Store::open(data.string()).value();
    const storage::store::SyncState state = store.state().value().value();
    const storage::TableOid t = state.tables.front().oid;
    const auto key = [](char id) {
        storage::RowKey made;
        storage::append_key_column(made, std::string("\0\0\0", 3) + id);
        return made;
    };
    const std::vector<storage::Change> changes{
        storage::Delete{t, key(77)},
        storage::Upsert{
            t, std::nullopt, {key(5), {std::vector<float>{9, 9}}, {storage::NullValue{}}}}};
    store.write(changes, state.applied).value();
}

}  // namespace

TEST_CASE("veer verify finds what is wrong, puts it right, and says so", "[integration]") {
    const PostgresServer postgres;
    postgres.exec(
        "CREATE TABLE t (id int PRIMARY KEY, e vector(2)); INSERT INTO t SELECT i, ARRAY[i, "
        "1]::vector FROM generate_series(1, 500) i; CREATE INDEX ON t USING hnsw (e vector_l2_ops)"
    );
    const auto directory =
        std::filesystem::temp_directory_path() / ("veer-verify-" + std::to_string(postgres.port()));
    {
        VeerProcess veer(directory, postgres.dsn(), toml);
        REQUIRE(live(veer));
        const auto equal = veer.command("verify");
        CHECK(equal.exit_code == 0);
        CHECK(equal.output.find("equal") != std::string::npos);
        CHECK(nearest(veer) == "veer 77");
        CHECK(veer.stop() == 0);
        CHECK(veer.command("verify").exit_code == 2);
    }
    damage(directory / "data");
    {
        VeerProcess veer(directory, postgres.dsn(), toml);
        REQUIRE(live(veer));
        CHECK(nearest(veer) != "veer 77");
        const auto different = veer.command("verify 'public.t.e <->' --rate 100000 --json");
        INFO(different.output);
        CHECK(different.exit_code == 1);
        CHECK(different.output.find("id = 77: missing in the copy") != std::string::npos);
        CHECK(different.output.find("id = 5: other values in the copy") != std::string::npos);
        CHECK(
            different.output.find(R"("rows":499,"differences":2,"repaired":2)") != std::string::npos
        );
        CHECK(nearest(veer) == "veer 77");
        CHECK(veer.command("verify t").exit_code == 0);
        CHECK(veer.command("verify nothing").exit_code == 2);
        const auto counted = veer.command("show verification --json").output;
        INFO(counted);
        CHECK(counted.find(R"("table":"public.t","passes":2)") != std::string::npos);
        CHECK(counted.find(R"("rows":999,"differences":2,"repaired":2)") != std::string::npos);
        CHECK(veer.log().find("wrong in 2 rows, of which 2 are repaired") != std::string::npos);
        CHECK(veer.stop() == 0);
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE(
    "A column that is declared to hold vectors is compared by what it was read from",
    "[integration]"
) {
    const PostgresServer postgres;
    postgres.exec(
        "CREATE EXTENSION IF NOT EXISTS vector; CREATE TABLE t (id int PRIMARY KEY, e text);"
        "INSERT INTO t SELECT i, '[' || i || ',1]' FROM generate_series(1, 500) i;"
        "INSERT INTO t VALUES (501, 'none'), (502, NULL)"
    );
    const std::string route =
        "[[route]]\ncolumn = 'public.t.e'\noperator = '<->'\ndimensions = 2\nunparsable = 'skip'\n";
    const auto directory =
        std::filesystem::temp_directory_path() / ("veer-verify-" + std::to_string(postgres.port()));
    const auto verified = [&](const VeerProcess& veer) {
        REQUIRE(live(veer));
        return veer.command("verify t --rate 100000 --json");
    };
    {
        VeerProcess veer(directory, postgres.dsn(), toml + route);
        CHECK(verified(veer).exit_code == 0);
        CHECK(veer.stop() == 0);
    }
    damage(directory / "data");
    {
        VeerProcess veer(directory, postgres.dsn(), toml + route);
        const auto different = verified(veer);
        INFO(different.output);
        CHECK(different.exit_code == 1);
        CHECK(different.output.find("id = 77: missing in the copy") != std::string::npos);
        CHECK(different.output.find("id = 5: other values in the copy") != std::string::npos);
        CHECK(
            different.output.find(R"("rows":501,"differences":2,"repaired":2)") != std::string::npos
        );
        CHECK(verified(veer).exit_code == 0);
        CHECK(veer.stop() == 0);
    }
    std::filesystem::remove_all(directory);
}

}  // namespace veer::tests
