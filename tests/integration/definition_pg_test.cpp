#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

// Definitions of mirrored tables that change under a running veer.

namespace veer::tests {

namespace {

const std::string search =
    "SELECT id, e <-> '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]' AS d FROM points ORDER BY d LIMIT 5";

std::string answered_by(Client& client) {
    client.simple(search);
    return client.simple("SHOW veer.last").rows[0][0].value_or("");
}

std::size_t copies(const Playground& playground) {
    const std::string log = playground.veer.log();
    std::size_t count = 0;
    const std::string_view line = ": copying public.points\n";
    for (auto at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace

TEST_CASE(
    "privileges, other columns and a rewrite of the file leave a route live", "[integration]"
) {
    Playground playground("[defaults]\npercent = 100\n");
    Client client(playground.through());
    REQUIRE(answered_by(client) == "veer");
    CHECK(client.simple("GRANT SELECT (e) ON points TO PUBLIC").sqlstate.empty());
    CHECK(answered_by(client) == "veer");
    CHECK(client.simple("ALTER TABLE points ADD COLUMN later text").sqlstate.empty());
    CHECK(answered_by(client) == "veer");
    // Only where veer has seen the first of them can it tell the second from other values.
    REQUIRE(wait_until([&] {
        return playground.veer.log().find("going on, though table public.points") !=
               std::string::npos;
    }));
    CHECK(client.simple("VACUUM FULL points").sqlstate.empty());
    CHECK(wait_until([&] { return answered_by(client) == "veer"; }));
    CHECK(copies(playground) == 1);
}

TEST_CASE("other values in a column are never answered from the old copy", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client client(playground.through());
    Client direct(playground.direct());
    REQUIRE(answered_by(client) == "veer");
    CHECK(client.simple("ALTER TABLE points ALTER e TYPE vector(8) USING (e + e)::vector(8)")
              .sqlstate.empty());
    CHECK(client.simple(search).rows == direct.simple(search).rows);
    CHECK(client.simple("SHOW veer.last").rows[0][0] == "postgres");
    REQUIRE(wait_until([&] { return copies(playground) == 2; }));
    REQUIRE(wait_until([&] { return answered_by(client) == "veer"; }));
    CHECK(client.simple(search).rows == direct.simple(search).rows);
}

}  // namespace veer::tests
