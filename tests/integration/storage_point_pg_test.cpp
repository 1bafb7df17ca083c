#include "storage/source/catalogue.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/sync/table_at_point.hpp"
#include "tests/support/postgres_server.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>

// What becomes of a table between the look at it and the lock.

using namespace veer;
using namespace veer::storage;
using tests::PostgresServer;

namespace {

/// Everything that a copy has done before it asks for its snapshot.
struct Prepared {
    explicit Prepared(const PostgresServer& server)
        : options{server.dsn(), "veer_test", false, &wake}, connection{open()} {
        server.exec(
            "CREATE TABLE docs (id int PRIMARY KEY, e vector(3), other int);"
            "INSERT INTO docs SELECT i, ARRAY[i, 0, 1]::vector, i FROM generate_series(1, 100) i;"
            "CREATE INDEX ON docs USING hnsw (e vector_l2_ops)"
        );
        auto found = source::discover(connection, {});
        REQUIRE(found.has_value());
        table = found->tables.at(0);
        REQUIRE(source::ensure_publication(connection, "veer_test", {table}).has_value());
        REQUIRE(source::join_publication(connection, "veer_test", table).has_value());
        source::ConnectOptions how = options;
        how.replication = true;
        auto replication = source::Connection::open(how);
        REQUIRE(replication.has_value());
        identity = *source::identify_system(*replication);
    }

    source::Connection open() {
        auto opened = source::Connection::open(options);
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }

    Result<sync::TableAtPoint> open_at_point() {
        const std::string slot = "veer_test_join";
        const std::string publication = "veer_test";
        return sync::open_at_point({options, slot, publication, {}, identity}, connection, table);
    }

    source::Wake wake;
    source::ConnectOptions options;
    source::Connection connection;
    Table table;
    source::SystemIdentity identity;
};

}  // namespace

TEST_CASE("A table is read as of a point where its file is the same under the lock", "[storage]") {
    const PostgresServer server;
    Prepared prepared{server};
    SECTION("untouched") {}
    SECTION("written") {
        server.exec("UPDATE docs SET other = 7; DELETE FROM docs WHERE id = 3");
    }
    SECTION("with another index") {
        server.exec("CREATE INDEX ON docs (other)");
    }
    CHECK(prepared.open_at_point().has_value());
}

TEST_CASE("A table that was rewritten before the lock is not read", "[storage]") {
    const PostgresServer server;
    Prepared prepared{server};
    SECTION("to a snapshot from before it is empty") {
        server.exec("ALTER TABLE docs ALTER other TYPE bigint");
    }
    SECTION("so it is here") {
        server.exec("TRUNCATE docs");
    }
    SECTION("its rows are on other pages") {
        server.exec("VACUUM FULL docs");
    }
    const auto at = prepared.open_at_point();
    REQUIRE(at.has_error());
    CHECK(at.error().code == Errc::gone);
    CHECK(at.error().message == "The table was changed while its copy began.");
}
