#include "storage/sync/resume.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::sync;
using veer::storage::store::CopyPhase;
using veer::storage::store::SyncState;
using veer::tests::sample_table;

namespace {

SyncState stored_state() {
    SyncState state;
    state.system_id = "7";
    state.database = "app";
    state.slot = "veer_1";
    state.publication = "veer_1";
    state.publication_fingerprint = "p1;";
    state.phase = CopyPhase::streaming;
    state.applied = {0x100};
    state.tables = {sample_table()};
    state.history = {1, {}, {}};
    return state;
}

UpstreamFacts same_upstream() {
    return {
        "7", "app", {sample_table()}, source::SlotFacts{true, false, {0x100}}, "p1;", 1, {0x100}};
}

}  // namespace

TEST_CASE("A copy is resumed where everything is as it was", "[storage]") {
    CHECK_FALSE(reason_to_start_over(stored_state(), same_upstream()).has_value());
    UpstreamFacts renamed = same_upstream();
    renamed.tables[0].name = "things";
    CHECK_FALSE(reason_to_start_over(stored_state(), renamed).has_value());
    SyncState two = stored_state();
    two.tables.push_back(sample_table(101));
    two.publication_fingerprint = "p1;p2;";
    CHECK_FALSE(reason_to_start_over(two, same_upstream()).has_value());  // one has left
    UpstreamFacts behind = same_upstream();
    behind.slot->confirmed_flush = {0x50};
    behind.slot->active = true;
    behind.tables[0].estimated_rows = 1e6;
    CHECK_FALSE(reason_to_start_over(stored_state(), behind).has_value());
    SyncState landmark = stored_state();
    landmark.history = {1, {{0x80}, 1, 1}, {0x90}};
    UpstreamFacts promoted = same_upstream();
    promoted.timeline = 2;  // the stream will show whether the landmark is there
    promoted.slot->confirmed_flush = {0x90};
    CHECK_FALSE(reason_to_start_over(landmark, promoted).has_value());
}

TEST_CASE("Anything that breaks the continuity starts the copy over", "[storage]") {
    std::optional<SyncState> stored = stored_state();
    UpstreamFacts upstream = same_upstream();
    std::string expected;
    SECTION("nothing stored") {
        stored.reset();
        expected = "no copy yet";
    }
    SECTION("half a copy") {
        stored->phase = CopyPhase::copying;
        expected = "not finished";
    }
    SECTION("another cluster") {
        upstream.system_id = "8";
        expected = "another Postgres cluster";
    }
    SECTION("another database") {
        upstream.database = "other";
        expected = "another database";
    }
    SECTION("changed table") {
        upstream.tables[0].fingerprint = "800,";
        expected = "public.items has changed";
    }
    SECTION("new table") {
        upstream.tables.push_back(sample_table(101));
        expected = "has a vector index now";
    }
    SECTION("lost table") {
        upstream.tables.clear();
        expected = "no usable vector index any more";
    }
    SECTION("no slot") {
        upstream.slot.reset();
        expected = "slot veer_1 is gone";
    }
    SECTION("invalidated slot") {
        upstream.slot->usable = false;
        upstream.slot->invalidated = "too much WAL";
        expected = "Postgres has invalidated the replication slot veer_1: too much WAL";
    }
    SECTION("a slot of something else under the same name") {
        upstream.slot->usable = false;
        expected = "not the one that veer made";
    }
    SECTION("slot ahead") {
        upstream.slot->confirmed_flush = {0x101};
        expected = "ahead of the copy, at 0/101 instead of 0/100";
    }
    SECTION("slot between the landmark and the position") {
        stored->history.landmark = {{0x80}, 1, 1};
        upstream.slot->confirmed_flush = {0x90};
        expected = "ahead of the copy, at 0/90 instead of 0/80";
    }
    SECTION("a log that is shorter than the copy") {
        upstream.end = {0xff};
        expected = "log ends at 0/FF, before the copy's position 0/100";
    }
    SECTION("another timeline, and no landmark to tell whether it is a continuation") {
        upstream.timeline = 2;
        expected = "is on timeline 2, and the copy was made on timeline 1";
    }
    SECTION("a store that does not know its timeline") {
        stored->history = {};
        expected = "timeline 0";
    }
    SECTION("no publication") {
        upstream.publication_fingerprint.reset();
        expected = "publication veer_1 is gone";
    }
    SECTION("another publication") {
        upstream.publication_fingerprint = "p2;";
        expected = "was changed";
    }
    const auto reason = reason_to_start_over(stored, upstream);
    REQUIRE(reason.has_value());
    INFO(*reason);
    CHECK(reason->find(expected) != std::string::npos);
}
