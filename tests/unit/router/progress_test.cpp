#include "router/progress.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

namespace {

using storage::TableOid;
using storage::sync::Phase;
using storage::sync::Status;
using storage::sync::TableState;
using storage::sync::TableStatus;

constexpr TableOid items{7};

/// Items has 50 of 200 rows.
Status status(Phase phase, TableState state, const std::string& reason = "") {
    Status made;
    made.phase = phase;
    made.reason = "everybody's";
    made.tables = {{items, "public.items", state, reason, 50, 200}};
    return made;
}

}  // namespace

TEST_CASE("a table's progress is its own while the stream runs", "[router]") {
    const Progress copying =
        progress_of(status(Phase::streaming, TableState::copying), items, false);
    CHECK(copying.state == "copying");
    CHECK(copying.percent == 25);
    CHECK(copying.reason == "everybody's");
    const Progress refused =
        progress_of(status(Phase::copying, TableState::refused, "its own"), items, false);
    CHECK(refused.state == "refused");
    CHECK(refused.reason == "its own");
}

TEST_CASE("a table that follows is live where its index can answer", "[router]") {
    const Progress live = progress_of(status(Phase::streaming, TableState::streaming), items, true);
    CHECK(live.state == "live");
    CHECK(live.percent == 100);
    CHECK(
        progress_of(status(Phase::streaming, TableState::streaming), items, false).state ==
        "waiting"
    );
}

TEST_CASE("without a stream a table is where all are", "[router]") {
    CHECK(
        progress_of(status(Phase::loading, TableState::streaming), items, false).state == "loading"
    );
    CHECK(
        progress_of(status(Phase::waiting, TableState::streaming), items, false).state == "waiting"
    );
    CHECK(
        progress_of(status(Phase::waiting, TableState::refused), items, false).state == "refused"
    );
}

TEST_CASE("a table that the status does not name waits", "[router]") {
    const Progress unknown =
        progress_of(status(Phase::streaming, TableState::streaming), TableOid{8}, false);
    CHECK(unknown.state == "waiting");
    CHECK(unknown.percent == 0);
}

}  // namespace veer::router
