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
    state.publication_fingerprint = "p:1:100:1;";
    state.phase = CopyPhase::streaming;
    state.applied = {0x100};
    state.tables = {sample_table()};
    state.history = {1, {}, {}};
    return state;
}

UpstreamFacts same_upstream() {
    return {
        "7",
        "app",
        source::SlotFacts{true, false, {0x100}},
        source::Publication{{{100}, "p:1:100:1;"}},
        1,
        {0x100}};
}

}  // namespace

TEST_CASE("A copy is resumed where everything is as it was", "[storage]") {
    CHECK_FALSE(reason_to_start_over(stored_state(), same_upstream()).has_value());
    SyncState two = stored_state();
    two.tables.push_back(sample_table(101));
    two.publication_fingerprint = "p:1:100:1;p:1:101:1;";
    CHECK_FALSE(reason_to_start_over(two, same_upstream()).has_value());  // one has left
    SyncState none = stored_state();
    none.tables.clear();
    CHECK_FALSE(reason_to_start_over(none, same_upstream()).has_value());
    UpstreamFacts behind = same_upstream();
    behind.slot->confirmed_flush = {0x50};
    behind.slot->active = true;
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
        upstream.publication.reset();
        expected = "publication veer_1 is gone";
    }
    SECTION("another publication") {
        upstream.publication = source::Publication{{{100}, "q:1:100:1;"}};
        expected = "was changed";
    }
    const auto reason = reason_to_start_over(stored, upstream);
    REQUIRE(reason.has_value());
    INFO(*reason);
    CHECK(reason->find(expected) != std::string::npos);
}

TEST_CASE("Each table goes on, or leaves with a reason, by itself", "[storage]") {
    const std::vector<Table> complete{
        sample_table(100), sample_table(101), sample_table(102), sample_table(103)};
    const std::string fingerprint = "p:1:100:1;p:1:101:1;p:1:102:1;p:1:103:1;";
    Table renamed = sample_table(100);
    renamed.name = "things";
    Table rewritten = sample_table(102);
    rewritten.fingerprint = "800,";
    const Reconciled reconciled = reconcile(
        complete,
        fingerprint,
        {renamed, rewritten, sample_table(103), sample_table(104)},
        {{{100}, "p:1:100:1;"}, {{102}, "p:1:102:1;"}, {{103}, "p:1:103:2;"}, {{104}, "p:1:104:1;"}}
    );
    REQUIRE(reconciled.kept.size() == 1);
    CHECK(reconciled.kept[0].name == "things");
    REQUIRE(reconciled.left.size() == 3);
    CHECK(reconciled.left.at({101}).find("no usable vector index") != std::string::npos);
    CHECK(reconciled.left.at({102}).find("has changed") != std::string::npos);
    CHECK(reconciled.left.at({103}).find("out of the publication") != std::string::npos);
}
