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

TEST_CASE("A copy of the primary's is not lost because a standby answers", "[storage]") {
    SyncState stored = stored_state();
    UpstreamFacts standby = same_upstream();
    standby.in_recovery = true;
    SECTION("whose slot is the primary's") {
        standby.slot->synced = true;
    }
    SECTION("whose slot is not complete yet") {
        standby.slot = source::SlotFacts{};
        standby.slot->synced = true;
    }
    SECTION("that has no slot") {
        stored.history.landmark = {{0x80}, 1, 1};
        standby.slot.reset();
    }
    SECTION("that is behind") {
        stored.history.landmark = {{0x80}, 1, 1};
        standby.end = {0x90};
    }
    const auto reason = reason_to_wait(stored, standby);
    REQUIRE(reason.has_value());
    INFO(*reason);
    CHECK(reason->find("promot") != std::string::npos);
    standby.in_recovery = false;
    CHECK_FALSE(reason_to_wait(stored, standby).has_value());
}

TEST_CASE("Whose copy is of the standby itself, or of elsewhere, waits for nobody", "[storage]") {
    SyncState stored = stored_state();
    UpstreamFacts standby = same_upstream();
    standby.in_recovery = true;
    CHECK_FALSE(reason_to_wait(std::nullopt, standby).has_value());
    CHECK_FALSE(reason_to_wait(stored, standby).has_value());
    stored.history.landmark = {{0x80}, 1, 1};
    standby.slot->confirmed_flush = {0x80};
    CHECK_FALSE(reason_to_wait(stored, standby).has_value());
    stored.history.landmark = {};
    standby.slot.reset();
    CHECK_FALSE(reason_to_wait(stored, standby).has_value());
    stored.history.landmark = {{0x80}, 1, 1};
    CHECK(reason_to_wait(stored, standby).has_value());
    SECTION("another cluster") {
        standby.system_id = "8";
    }
    SECTION("another database") {
        standby.database = "other";
    }
    SECTION("half a copy") {
        stored.phase = CopyPhase::copying;
    }
    CHECK_FALSE(reason_to_wait(stored, standby).has_value());
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

TEST_CASE("The graph stays as it was made when pgvector's index has gone", "[storage]") {
    const SyncState stored = stored_state();
    Table without = sample_table();
    without.indexes[1].name.clear();
    without.indexes[1].method.clear();
    without.indexes[1].m = 16;
    const Reconciled reconciled = reconcile(
        stored.tables, stored.publication_fingerprint, {without}, *same_upstream().publication
    );
    REQUIRE(reconciled.kept.size() == 1);
    CHECK(reconciled.kept[0].indexes[1].name.empty());
    CHECK(reconciled.kept[0].indexes[1].m == 8);
    const Reconciled again = reconcile(
        reconciled.kept, stored.publication_fingerprint, {without}, *same_upstream().publication
    );
    CHECK(again.left.empty());  // though the route would be made with m = 16
    without.indexes[1].states_parameters = true;
    const Reconciled stated = reconcile(
        stored.tables, stored.publication_fingerprint, {without}, *same_upstream().publication
    );
    REQUIRE(stated.kept.size() == 1);
    CHECK(stated.kept[0].indexes[1].m == 16);
    CHECK(reconcile(
              stated.kept, stored.publication_fingerprint, {without}, *same_upstream().publication
    )
              .left.empty());
}

TEST_CASE("A copy that was cut short goes on in the history that it was read in", "[storage]") {
    store::CopyRecord record;
    record.first = {0x10};
    record.last = {0x20};
    store::SyncState stored;
    stored.history.timeline = 3;
    stored.applied = {0x18};
    CHECK(in_history(record, stored, 3, {0x20}));
    CHECK_FALSE(in_history(record, stored, 3, {0x19}));  // of a restored machine, say
    CHECK_FALSE(in_history(record, stored, 4, {0x90}));  // promoted before the snapshot, perhaps
    stored.applied = {0x20};
    CHECK(in_history(record, stored, 4, {0x90}));  // the stream's landmark says
}

TEST_CASE("A copy that was cut short goes on with the same file alone", "[storage]") {
    store::CopyRecord record;
    record.table = sample_table();
    record.table.fingerprint = "700,701,|555|1 20 -1 id,";
    record.publication_fingerprint = "p:1:100:1;";
    record.first = {0x10};
    record.last = {0x10};
    record.done = {{0, 7}};
    const source::Publication published = *same_upstream().publication;
    Table now = record.table;
    CHECK(continued(record, {now}, published).has_value());
    CHECK_FALSE(continued(record, {}, published).has_value());
    CHECK_FALSE(continued(record, {now}, {}).has_value());
    CHECK_FALSE(continued(record, {now}, {{{100}, "p:1:100:2;"}}).has_value());
    now.fingerprint = "700,701,|556|1 20 -1 id,";  // VACUUM FULL: rows are on other pages
    CHECK_FALSE(continued(record, {now}, published).has_value());
    record.done = {{}};
    CHECK(continued(record, {now}, published).has_value());  // but all of them were read
    record.unreadable = {0x9};
    CHECK(continued(record, {now}, published).has_value());
    record.unreadable = {0x10};
    CHECK_FALSE(continued(record, {now}, published).has_value());
}
