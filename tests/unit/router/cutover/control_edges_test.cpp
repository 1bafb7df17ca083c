#include "tests/unit/router/cutover/control_life.hpp"

#include <catch2/catch_test_macros.hpp>

// Where two things meet: a gauge and no share, a reload and a guard, a lowering and a raise.

namespace veer::router::cutover {

namespace {

const Gauges much_log{.wal_retained_bytes = 17ULL << 30U};
const Gauges little_log{.wal_retained_bytes = 1ULL << 30U};
const Gauges bad_golden_set{.golden_recall = 0.8};

}  // namespace

TEST_CASE("a gauge that went up without a share refuses the next raise", "[cutover]") {
    for (const Gauges& trouble : {much_log, bad_golden_set}) {
        Disk disk;
        Life life(disk);
        life.control.note(name, trouble, at(1));
        const Reply refused = life.say({.verb = Verb::promote, .percent = 25}, at(2));
        CHECK_FALSE(refused.done);
        CHECK(refused.code == "not_live");
        CHECK(life.traffic->share() == 0);
    }
    Disk disk;
    Life life(disk);
    life.control.note(name, much_log, at(1));
    life.control.note(name, little_log, at(2));
    CHECK(life.say({.verb = Verb::promote, .percent = 25}, at(3)).done);
}

TEST_CASE("a share from the file is taken back while such a gauge is up", "[cutover]") {
    for (const Gauges& trouble : {much_log, bad_golden_set}) {
        Disk disk;
        Life life(disk);
        life.control.note(name, trouble, at(1));
        life.control.adopt(name, 50);
        life.control.note(name, trouble, at(2));
        CHECK(life.traffic->share() == 0);
        CHECK(life.view().desired == 50);
        CHECK(life.traffic->cause() == Cause::tripped);
    }
}

TEST_CASE("a rollback by a gauge that stays up is one, and doubles no cool-down", "[cutover]") {
    Disk disk;
    Life life(disk, 50);
    for (int i = 1; i < 50; ++i) {
        life.control.note(name, much_log, at(i));
    }
    CHECK(life.traffic->share() == 0);
    CHECK(life.view().trip->cool_until == at(1) + config::Guards().cooldown);
    CHECK(verify(disk.audit, hash).records == 2);
}

TEST_CASE("a reload that changes a guard's level forgets no lag", "[cutover]") {
    Disk disk;
    Life life(disk, 100);
    const Gauges behind{.lag = std::chrono::seconds(5)};
    life.control.note(name, behind, at(1));
    life.control.note(name, behind, at(4));
    CHECK(life.traffic->cause() == Cause::lag);
    Policy policy;
    policy.guards.recall_floor = 0.9;
    life.control.configure(policy, {});
    CHECK(life.traffic->cause() == Cause::lag);
    CHECK(life.view().lag == Duration(5000));
    policy.guards.lag_max = std::chrono::seconds(10);  // from now on that is no lag any more
    policy.guards.lag_clear = std::chrono::seconds(8);
    policy.guards.lag_clear_for = Duration(0);
    life.control.configure(policy, {});
    life.control.note(name, behind, at(5));
    CHECK(life.traffic->share() == 100);
}

TEST_CASE("a reload keeps what tests have seen, where their floor stays", "[cutover]") {
    Disk disk;
    Life life(disk, 100);
    const auto evidence_against = [&life] {
        for (const GuardView& view : life.control.guards()) {
            if (view.guard.name == "recall_floor") {
                return view.guard.value;
            }
        }
        return -1.0;
    };
    for (int i = 0; i < 5; ++i) {
        life.control.note(name, Comparison{.recall = 0.7}, at(1));
    }
    const double seen = evidence_against();
    CHECK(seen > 1);
    Policy policy;
    policy.cutover.gated = false;
    policy.guards.memory_max = 0.5;
    life.control.configure(policy, {});
    CHECK(evidence_against() == seen);
    policy.guards.recall_floor = 0.8;
    life.control.configure(policy, {});
    CHECK(evidence_against() < seen);
}

TEST_CASE("a lower share holds at once while a raise is being stored", "[cutover]") {
    Disk disk;
    Life life(disk, 25);
    Keeper slow = disk.keeper();
    slow.wake = [] {
    };  // somebody will store it later
    life.control.connect(slow);
    std::string raised;
    std::string lowered;
    life.control.apply(
        {.verb = Verb::promote, .route = name, .percent = 50},
        {},
        alice,
        at(1),
        [&raised](const Reply& reply) { raised = reply.code; }
    );
    life.control.apply(
        {.verb = Verb::promote, .route = name, .percent = 10},
        {},
        alice,
        at(1),
        [&lowered](const Reply& reply) { lowered = reply.code; }
    );
    CHECK(life.traffic->share() == 10);
    life.control.store();
    CHECK(raised == "overtaken");
    CHECK(lowered == "ok");
    CHECK(life.traffic->share() == 10);
    CHECK(Life(disk, 25, false, at(2)).traffic->share() == 10);
    CHECK(verify(disk.audit, hash).holds);
}

}  // namespace veer::router::cutover
