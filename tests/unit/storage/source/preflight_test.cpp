#include "storage/source/preflight.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::source;

namespace {

ServerFacts good_server() {
    ServerFacts facts;
    facts.version = 150'013;
    facts.version_text = "15.13";
    facts.wal_level = "logical";
    facts.role = "vee";
    facts.may_replicate = true;
    return facts;
}

bool refused_for(const ServerFacts& facts, const std::string& why) {
    const auto judged = judge(facts);
    return judged.has_error() && judged.error().code == Errc::not_permitted &&
           judged.error().message.find(why) != std::string::npos;
}

}  // namespace

TEST_CASE("A server that can decode, and a role that may, pass", "[storage]") {
    CHECK(judge(good_server()).has_value());
    ServerFacts standby = good_server();
    standby.version = 160'000;
    standby.in_recovery = true;
    CHECK(judge(standby).has_value());
}

TEST_CASE("What is missing upstream is named with what mends it", "[storage]") {
    ServerFacts facts = good_server();
    SECTION("an old server, whatever else is wrong with it") {
        facts.version = 140'018;
        facts.version_text = "14.18";
        facts.wal_level = "replica";
        CHECK(refused_for(facts, "is PostgreSQL 14.18, and veer's copy needs 15 or later"));
    }
    SECTION("wal_level") {
        facts.wal_level = "replica";
        CHECK(refused_for(facts, "set wal_level=logical"));
    }
    SECTION("a standby that cannot decode") {
        facts.in_recovery = true;
        CHECK(refused_for(facts, "The upstream is a standby"));
    }
    SECTION("the role") {
        facts.may_replicate = false;
        CHECK(refused_for(facts, "run: ALTER ROLE vee REPLICATION;"));
        facts.has_rds_replication = true;
        CHECK(refused_for(facts, "run: GRANT rds_replication TO vee;"));
    }
}
