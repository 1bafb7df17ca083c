#include "router/freshness.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::router;
using std::chrono::milliseconds;
using std::chrono::seconds;
using veer::config::Freshness;
using veer::storage::Lsn;
using Kind = Freshness::Kind;

TEST_CASE("The session's word counts, then the route's; one that is none is strict", "[router]") {
    const Freshness eventual{.kind = Kind::eventual};
    CHECK(freshness_of("", eventual) == eventual);
    CHECK(freshness_of("causal", eventual).kind == Kind::causal);
    CHECK(freshness_of("bounded 1s", eventual).bound == seconds(1));
    CHECK(freshness_of("EVENTUAL", eventual).kind == Kind::causal);
}

TEST_CASE("The copy is as old as the newest look that it has reached", "[router]") {
    FreshnessGauge gauge;
    CHECK_FALSE(gauge.as_of(Lsn{1'000}).has_value());
    gauge.note(Lsn{100}, seconds(10));
    gauge.note(Lsn{140}, seconds(11));
    gauge.note(Lsn{140}, seconds(12));
    gauge.note(Lsn{190}, seconds(13));
    CHECK_FALSE(gauge.as_of(Lsn{99}).has_value());
    CHECK(gauge.as_of(Lsn{100}) == seconds(10));
    CHECK_FALSE(gauge.as_of(Lsn{99}).has_value());  // another copy, which may not have it
    CHECK(gauge.as_of(Lsn{150}) == seconds(12));
    CHECK(gauge.as_of(Lsn{189}) == seconds(12));
    CHECK(gauge.as_of(Lsn{190}) == seconds(13));
    CHECK(gauge.holds(Lsn{190}, milliseconds(500), seconds(13) + milliseconds(500)));
    CHECK_FALSE(gauge.holds(Lsn{190}, milliseconds(500), seconds(13) + milliseconds(501)));
}

TEST_CASE(
    "Another server's log, which ends earlier, proves nothing of what was known", "[router]"
) {
    FreshnessGauge gauge;
    gauge.note(Lsn{100}, seconds(10));
    REQUIRE(gauge.as_of(Lsn{100}).has_value());
    gauge.note(Lsn{50}, seconds(11));
    CHECK_FALSE(gauge.as_of(Lsn{49}).has_value());
    CHECK(gauge.as_of(Lsn{50}) == seconds(11));
}

TEST_CASE("A copy that stands still is never told as younger than it is", "[router]") {
    FreshnessGauge gauge;
    for (std::uint64_t look = 1; look <= 2 * FreshnessGauge::kept_max; ++look) {
        gauge.note(Lsn{look}, seconds(look));
    }
    CHECK(gauge.as_of(Lsn{5}) == seconds(5));
    CHECK(gauge.as_of(Lsn{600}) <= seconds(600));
    CHECK(gauge.as_of(Lsn{2 * FreshnessGauge::kept_max}) == seconds(2 * FreshnessGauge::kept_max));
}

TEST_CASE("Looks are wanted for a while after somebody has asked", "[router]") {
    FreshnessGauge gauge;
    CHECK_FALSE(gauge.wanted(seconds(1)));
    CHECK_FALSE(gauge.holds(Lsn{}, seconds(1), seconds(100)));
    CHECK(gauge.wanted(seconds(100) + FreshnessGauge::wanted_for));
    CHECK_FALSE(gauge.wanted(seconds(101) + FreshnessGauge::wanted_for));
}
