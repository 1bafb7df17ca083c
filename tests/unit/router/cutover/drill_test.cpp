#include "router/cutover/drill.hpp"

#include "tests/unit/router/cutover/control_life.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::cutover {

namespace {

using Outcome = DrillFindings::Outcome;

Reply begin(Life& life, Fault fault, Time now) {
    return life.control.begin_drill(name, fault, alice, now);
}

void end(Life& life, Time now) {
    bool recorded = false;
    life.control.end_drill(name, "found", alice, now, [&](const Reply&) { recorded = true; });
    life.control.store();
    CHECK(recorded);
}

DrillWatch::Elapsed ms(std::int64_t milliseconds) {
    return std::chrono::milliseconds(milliseconds);
}

}  // namespace

TEST_CASE("the guards bring the share to 0 in a drill, and it is then what it was", "[cutover]") {
    Disk disk;
    Life life(disk);
    life.say({.verb = Verb::promote, .percent = 25}, at(1));
    const RouteView before = life.view();
    for (const auto& [fault, guard] :
         {std::pair(Fault::neighbours, "recall_floor"),
          std::pair(Fault::wrong, "correctness"),
          std::pair(Fault::slow, "slow")}) {
        REQUIRE(begin(life, fault, at(2)).done);
        CHECK(life.traffic->share() == 25);  // nothing has happened yet
        const DrillLook look = life.control.step_drill(name, at(2));
        CHECK((look.running && look.closed));
        CHECK(look.guard == guard);
        CHECK(look.answers > 0);
        CHECK(look.answers < 200);
        CHECK(life.traffic->share() == 0);
        CHECK(life.traffic->cause() == Cause::drill);
        CHECK_FALSE(life.traffic->open());
        CHECK(life.view().desired == 25);
        CHECK(life.view().why == "drill");
        CHECK(Life(disk, 0, false, at(3)).traffic->share() == 25);  // a restart knows nothing of it
        end(life, at(3));
        CHECK(life.traffic->share() == 25);
        CHECK(life.traffic->cause() == Cause::none);
    }
    const RouteView after = life.view();
    CHECK(after.revision == before.revision);
    CHECK_FALSE(after.trip);
    CHECK(after.evidence == before.evidence);
    for (const GuardView& guard : life.control.guards()) {
        CHECK(guard.guard.trips == 0);  // the route's own have seen nothing
    }
}

TEST_CASE("a drill of lag lasts as long as the guard waits", "[cutover]") {
    Disk disk;
    Life life(disk, 100);
    REQUIRE(begin(life, Fault::lag, at(1)).done);
    CHECK_FALSE(life.control.step_drill(name, at(1)).closed);
    CHECK(life.traffic->share() == 100);
    CHECK_FALSE(life.control.step_drill(name, at(2)).closed);
    const DrillLook look = life.control.step_drill(name, at(3));
    CHECK(look.closed);
    CHECK(look.guard == "lag");
    CHECK(life.traffic->share() == 0);
    end(life, at(4));
    CHECK(life.traffic->share() == 100);  // the guard's own wait for calm is of the copy
}

TEST_CASE("a drill is in the audit, which holds", "[cutover]") {
    Disk disk;
    Life life(disk, 50);
    REQUIRE(begin(life, Fault::neighbours, at(1)).done);
    life.control.step_drill(name, at(1));
    end(life, at(2));
    const Verified verified = verify(disk.audit, hash);
    CHECK(verified.holds);
    const auto audit = life.control.audit();
    REQUIRE(audit.size() >= 2);
    const AuditRecord& closed = audit[audit.size() - 2];
    const AuditRecord& over = audit.back();
    CHECK(closed.action == "drill");
    CHECK(closed.actor == "alice");
    CHECK(closed.from == "canary 50");
    CHECK(closed.to == "canary 0");
    CHECK(closed.reason.find("made up: neighbours; guard recall_floor, rollback: ") == 0);
    CHECK(over.action == "drill over");
    CHECK(over.reason == "found");
    CHECK(over.from == "canary 0");
    CHECK(over.to == "canary 50");
}

TEST_CASE("a drill is refused where it would show nothing", "[cutover]") {
    Disk disk;
    Life life(disk);
    const auto code = [&](Time now) {
        return begin(life, Fault::wrong, now).code;
    };
    CHECK(life.control.begin_drill("other", Fault::wrong, alice, at(1)).code == "unknown_route");
    CHECK(code(at(1)) == "state");  // no share
    life.say({.verb = Verb::off}, at(1));
    CHECK(code(at(1)) == "state");
    life.say({.verb = Verb::observe}, at(1));
    life.say({.verb = Verb::promote, .percent = 25}, at(2));
    life.control.set_live({});
    CHECK(code(at(3)) == "not_live");
    life.control.set_live({name});
    life.say({.verb = Verb::panic}, at(3));
    CHECK(code(at(3)) == "panic");
    life.say({.verb = Verb::unpanic}, at(3));
    REQUIRE(begin(life, Fault::wrong, at(4)).done);
    CHECK(code(at(4)) == "drill");
    end(life, at(4));
    life.control.note(name, Comparison{.hard = HardDifference::invisible_row}, at(5));
    CHECK(code(at(5)) == "tripped");
    CHECK(life.traffic->share() == 0);
}

TEST_CASE("a drill is refused while a raise is being stored", "[cutover]") {
    Disk disk;
    Life life(disk, 25);
    Keeper slow = disk.keeper();
    slow.wake = [] {
    };  // somebody will store it later
    life.control.connect(slow);
    life.control.apply({.verb = Verb::promote, .route = name, .percent = 50}, {}, alice, at(1), {});
    CHECK(begin(life, Fault::neighbours, at(1)).code == "busy");
    life.control.store();
    CHECK(begin(life, Fault::neighbours, at(2)).done);
}

TEST_CASE("what is real ends a drill", "[cutover]") {
    Disk disk;
    Life life(disk, 100);
    const auto drill = [&] {
        REQUIRE(begin(life, Fault::neighbours, at(1)).done);
        REQUIRE(life.control.step_drill(name, at(1)).closed);
    };
    drill();
    life.say({.verb = Verb::promote, .percent = 10}, at(2));
    CHECK(life.traffic->share() == 10);
    CHECK_FALSE(life.control.step_drill(name, at(2)).running);
    drill();
    life.say({.verb = Verb::panic}, at(3));
    CHECK(life.traffic->cause() == Cause::panic);
    CHECK_FALSE(life.control.step_drill(name, at(3)).running);
    end(life, at(3));
    CHECK(life.traffic->cause() == Cause::panic);
    life.say({.verb = Verb::unpanic}, at(4));
    drill();
    life.control.note(name, Comparison{.hard = HardDifference::invisible_row}, at(5));
    CHECK(life.traffic->cause() == Cause::tripped);
    end(life, at(5));
    CHECK(life.traffic->cause() == Cause::tripped);
    CHECK(life.traffic->share() == 0);
}

TEST_CASE("a guard that is set too low does not act in a drill, and it is said", "[cutover]") {
    Disk disk;
    Life life(disk, 100);
    Policy policy;
    policy.guards.recall_floor = 0.4;
    life.control.configure(policy, {});
    REQUIRE(begin(life, Fault::neighbours, at(1)).done);
    const DrillLook look = life.control.step_drill(name, at(1));
    CHECK_FALSE(look.closed);
    CHECK(look.answers == Rehearsal::answers_max);
    CHECK(life.traffic->share() == 100);
}

TEST_CASE("a route's own rate says how long its guards would need", "[cutover]") {
    Evidence evidence;
    CHECK_FALSE(time_for(8, evidence));
    evidence.compared = 101;
    evidence.first = at(0);
    evidence.last = at(10);
    CHECK(time_for(8, evidence) == Duration(800));
    CHECK_FALSE(time_for(0, evidence));
}

TEST_CASE("faults are known by name", "[cutover]") {
    for (const Fault fault : {Fault::neighbours, Fault::wrong, Fault::slow, Fault::lag}) {
        CHECK(fault_from_text(to_string(fault)) == fault);
    }
    CHECK_FALSE(fault_from_text("fire"));
}

TEST_CASE("a drill is confirmed by the first of Postgres and the last of the index", "[cutover]") {
    DrillWatch watch({.veer = 7, .diverted = 3}, ms(0));
    CHECK_FALSE(watch.note({.veer = 7, .diverted = 3}, true, true, ms(0)));
    CHECK_FALSE(watch.note({.veer = 7, .diverted = 5}, true, true, ms(2)));
    CHECK_FALSE(watch.note({.veer = 8, .diverted = 5}, true, true, ms(6)));  // was on its way
    CHECK_FALSE(watch.note({.veer = 8, .diverted = 9}, true, true, ms(105)));
    CHECK(watch.note({.veer = 8, .diverted = 9, .client_errors = 0}, true, true, ms(106)));
    const DrillFindings& found = watch.findings();
    CHECK(found.outcome == Outcome::rolled_back);
    CHECK(found.share_zero == ms(0));
    CHECK(found.confirmed == ms(6));
    CHECK(found.diverted == 6);
    CHECK(found.late == 1);
    CHECK(
        to_text(found) ==
        "rolled_back, share 0 after 0.000 ms, confirmed after 6.000 ms; "
        "searches to Postgres 6, late answers 1, fallbacks 0, client errors 0"
    );
}

TEST_CASE("a drill ends in any case, and says what it lacks", "[cutover]") {
    const auto outcome = [](bool closed, bool searched, bool index_goes_on) {
        DrillWatch watch({}, ms(3000));
        std::int64_t now = 0;
        DrillWatch::Counts counts{.diverted = searched ? 1U : 0U};
        while (!watch.note(counts, true, closed, ms(now))) {
            now += 10;
            counts.veer += index_goes_on ? 1 : 0;
            REQUIRE(now < 20'000);
        }
        return watch.findings().outcome;
    };
    CHECK(outcome(true, true, false) == Outcome::rolled_back);
    CHECK(outcome(true, false, false) == Outcome::no_traffic);
    CHECK(outcome(true, true, true) == Outcome::still_index);
    CHECK(outcome(false, false, false) == Outcome::not_noticed);
    DrillWatch watch({}, ms(3000));
    CHECK(watch.note({}, false, true, ms(1)));
    CHECK(watch.findings().outcome == Outcome::interrupted);
}

}  // namespace veer::router::cutover
