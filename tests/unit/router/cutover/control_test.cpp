#include "tests/unit/router/cutover/control_life.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace veer::router::cutover {

TEST_CASE("a move holds at once, and after a restart", "[cutover]") {
    Disk disk;
    {
        Life life(disk);
        CHECK(life.traffic->share() == 0);
        const Reply reply = life.say({.verb = Verb::promote, .percent = 25}, at(1));
        CHECK(reply.done);
        CHECK(reply.revision == life.view().revision);
        CHECK(life.traffic->share() == 25);
    }
    Life next(disk, 0, false, at(2));
    CHECK(next.problem.empty());
    CHECK(next.traffic->share() == 25);
    CHECK(next.view().origin == Origin::command);
    CHECK(next.say({.verb = Verb::rollback}, at(3)).done);
    CHECK(next.traffic->share() == 0);
    CHECK(Life(disk, 0, false, at(4)).traffic->share() == 0);
    CHECK(verify(disk.audit, hash).holds);
    CHECK(verify(disk.audit, hash).records == 2);
}

TEST_CASE("a statement's percentage holds until somebody moves the route", "[cutover]") {
    using ShareOf = Control::ShareOf;
    Disk disk;
    Life life(disk, 0);
    life.control.adopt(name, 100, ShareOf::statement_beside);
    CHECK(life.traffic->share() == 0);
    life.control.adopt(name, 100, ShareOf::statement);
    CHECK(life.traffic->share() == 100);
    life.control.adopt(name, 0);  // it is dropped, and made again
    CHECK(life.traffic->share() == 0);
    CHECK(life.say({.verb = Verb::promote, .percent = 10}, at(1)).done);
    for (const ShareOf by : {ShareOf::statement, ShareOf::statement_beside}) {
        life.control.adopt(name, 100, by);
        CHECK(life.traffic->share() == 10);
    }
    CHECK(life.say({.verb = Verb::rollback}, at(2)).done);
    life.control.adopt(name, 100, ShareOf::statement);
    CHECK(life.traffic->share() == 0);
    for (const ShareOf by : {ShareOf::statement, ShareOf::statement_beside}) {
        const std::string other = by == ShareOf::statement ? "new <->" : "newer <->";
        CHECK(life.control.adopt(other, 100, by)->share() == 100);
    }
}

TEST_CASE("the file's percentage holds until a command, and when it is changed", "[cutover]") {
    Disk disk;
    Life life(disk, 10);
    CHECK(life.traffic->share() == 10);
    life.control.adopt(name, 40);
    CHECK(life.traffic->share() == 40);
    CHECK(life.say({.verb = Verb::promote, .percent = 60}, at(1)).done);
    life.control.adopt(name, 40);
    CHECK(life.traffic->share() == 60);
    CHECK(Life(disk, 40, false, at(2)).traffic->share() == 60);
    CHECK(Life(disk, 5, false, at(3)).traffic->share() == 5);
}

TEST_CASE(
    "of two operators with the same revision one is refused and told what to do", "[cutover]"
) {
    Disk disk;
    Life life(disk);
    const std::uint64_t seen = life.view().revision;
    std::atomic<int> done = 0;
    std::atomic<int> refused_count = 0;
    std::vector<std::thread> operators;
    operators.reserve(8);
    for (int i = 0; i < 8; ++i) {
        operators.emplace_back([&] {
            const Reply reply = life.say({.verb = Verb::promote, .percent = 5}, at(1), seen);
            (reply.done ? done : refused_count) += 1;
            if (!reply.done) {
                REQUIRE(reply.code == refused::revision);
                REQUIRE_FALSE(reply.next_step.empty());
            }
        });
    }
    for (std::thread& each : operators) {
        each.join();
    }
    CHECK(done == 1);
    CHECK(refused_count == 7);
}

TEST_CASE("a raise that cannot be stored does not hold; a rollback holds anyway", "[cutover]") {
    Disk disk;
    Life life(disk);
    CHECK(life.say({.verb = Verb::promote, .percent = 5}, at(1)).done);
    disk.problem = "no space left on device";
    const Reply reply = life.say({.verb = Verb::promote, .percent = 50}, at(2));
    CHECK(reply.code == refused::not_saved);
    CHECK(life.traffic->share() == 5);
    CHECK(life.say({.verb = Verb::rollback}, at(3)).done);
    CHECK(life.traffic->share() == 0);
    disk.problem.clear();
    life.control.tick(at(4));
    CHECK(Life(disk, 0, false, at(5)).traffic->share() == 0);
    CHECK(verify(disk.audit, hash).holds);
}

TEST_CASE("a raise that cannot be stored leaves evidence and guards as they were", "[cutover]") {
    Disk disk;
    Life life(disk, 5);
    for (int i = 0; i < 10; ++i) {
        life.control.note(name, {.recall_at_most = 0.8}, at(1));
    }
    disk.problem = "no space left on device";
    CHECK(life.say({.verb = Verb::promote, .percent = 50}, at(2)).code == refused::not_saved);
    CHECK(life.view().evidence.compared == 10);
    disk.problem.clear();
    int more = 0;
    while (life.traffic->share() > 0 && more < 100) {
        life.control.note(name, {.recall_at_most = 0.8}, at(4));
        ++more;
    }
    CHECK(more < 30);  // of about 26 in all: the first ten still count
    CHECK(more > 0);
    CHECK(verify(disk.audit, hash).holds);
}

namespace {

/// A disk that takes its time: store() is somebody else's, and stands still until told.
struct SlowDisk {
    Disk disk;
    std::mutex mutex;
    std::condition_variable changed;
    bool entered = false;
    bool open = false;
    std::atomic<int> woken = 0;

    Keeper keeper() {
        Keeper keeper = disk.keeper();
        keeper.wake = [this] {
            ++woken;
        };
        keeper.save_state = [this, save = keeper.save_state](const std::string& text) {
            std::unique_lock lock(mutex);
            entered = true;
            changed.notify_all();
            changed.wait(lock, [this] { return open; });
            return save(text);
        };
        return keeper;
    }

    void await_entry() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return entered; });
    }

    void let_go() {
        const std::lock_guard lock(mutex);
        open = true;
        changed.notify_all();
    }
};

}  // namespace

TEST_CASE(
    "while the disk stands still everything else goes on, and going back holds", "[cutover]"
) {
    SlowDisk slow;
    Control control;
    Policy policy;
    policy.cutover.gated = false;
    control.configure(policy, {});
    control.connect(slow.keeper());
    CHECK(control.restore("", "", at(0)).empty());
    const auto traffic = control.adopt(name, 0);
    control.set_live({name});
    std::vector<Reply> raised;
    std::vector<Reply> lowered;
    const auto into = [](std::vector<Reply>& replies) {
        return [&replies](const Reply& reply) {
            replies.push_back(reply);
        };
    };
    const Command raise{.verb = Verb::promote, .route = name, .percent = 25};
    control.apply(raise, std::nullopt, alice, at(1), into(raised));
    CHECK(slow.woken > 0);
    CHECK(raised.empty());
    CHECK(traffic->share() == 0);
    std::thread writer([&control] { control.store(); });
    slow.await_entry();

    // All of these would wait for ever, were the mutex held now.
    CHECK(control.routes().at(0).desired == 0);
    CHECK(control.gates().size() > 1);
    CHECK(control.adopt(name, 0) == traffic);
    control.note(name, perfect(), at(2));
    control.tick(at(2));
    CHECK(traffic->share() == 0);
    std::vector<Reply> second;
    control.apply(raise, std::nullopt, alice, at(2), into(second));
    REQUIRE(second.size() == 1);
    CHECK(second[0].code == refused::busy);

    SECTION("nothing comes in between") {
        slow.let_go();
        writer.join();
        CHECK(traffic->share() == 25);
        REQUIRE(raised.size() == 1);
        CHECK(raised[0].done);
    }
    SECTION("a rollback overtakes the raise") {
        const Command back{.verb = Verb::rollback, .route = name};
        control.apply(back, std::nullopt, alice, at(3), into(lowered));
        CHECK(lowered.empty());  // it holds, and is confirmed once it is stored
        slow.let_go();
        writer.join();
        REQUIRE(raised.size() == 1);
        CHECK(raised[0].code == refused::overtaken);
        CHECK(traffic->share() == 0);
        control.store();
        REQUIRE(lowered.size() == 1);
        CHECK(lowered[0].done);
        CHECK(lowered[0].code == "ok");
        CHECK(Life(slow.disk, 0, false, at(4)).traffic->share() == 0);
        CHECK(verify(slow.disk.audit, hash).records == 3);
    }
    SECTION("panic holds at once, and its end only when it is stored") {
        control.apply({.verb = Verb::panic}, std::nullopt, alice, at(3), into(lowered));
        CHECK(control.panic());
        control.apply({.verb = Verb::unpanic}, std::nullopt, alice, at(4), into(lowered));
        CHECK(control.panic());
        slow.let_go();
        writer.join();
        CHECK(control.panic());
        control.store();
        CHECK_FALSE(control.panic());
        CHECK(lowered.size() == 2);
    }
    CHECK(verify(slow.disk.audit, hash).holds);
}

TEST_CASE("the configuration's share holds on a full disk: its file is stored", "[cutover]") {
    Disk disk;
    disk.problem = "read-only file system";
    Life life(disk, 40);
    CHECK(life.traffic->share() == 40);
    CHECK_FALSE(life.control.take_notices().empty());
    CHECK(disk.audit.empty());
    disk.problem.clear();
    life.control.tick(at(2));
    CHECK(verify(disk.audit, hash).records == 1);
    CHECK(Life(disk, 40, false, at(3)).traffic->share() == 40);
    CHECK(verify(disk.audit, hash).records == 1);
}

TEST_CASE(
    "an automatic step that cannot be stored does not hold, and is tried again", "[cutover]"
) {
    Disk disk;
    Life life(disk, 0, true);
    life.step_by_itself();
    disk.problem = "no space left on device";
    for (int i = 0; i < 1000; ++i) {
        life.control.note(name, perfect(), at(1));
    }
    life.control.tick(at(2));
    CHECK(life.traffic->share() == 0);
    CHECK(life.view().evidence.compared == 1000);
    disk.problem.clear();
    life.control.tick(at(2) + Duration(10));  // not at once again
    CHECK(life.traffic->share() == 0);
    life.control.tick(at(4));
    CHECK(life.traffic->share() == 1);
    CHECK(verify(disk.audit, hash).holds);
}

TEST_CASE("evidence that could have waited is stored at the end", "[cutover]") {
    Disk disk;
    {
        Life life(disk);
        life.control.note(name, perfect(), at(1));
        life.control.tick(at(2));
        life.control.store_all();
    }
    CHECK(Life(disk, 0, false, at(3)).view().evidence.compared == 1);
}

TEST_CASE("with a state that cannot be read everything stays on Postgres", "[cutover]") {
    Disk disk;
    CHECK(Life(disk).say({.verb = Verb::promote, .percent = 50}, at(1)).done);
    const std::string good = disk.state;
    disk.state.resize(disk.state.size() / 2);
    const std::string broken = disk.state;
    Life life(disk, 80, false, at(2));
    CHECK(life.problem.find("cut short") != std::string::npos);
    CHECK(life.traffic->share() == 0);
    CHECK_FALSE(life.traffic->open());
    CHECK(life.view().why == "state_file");
    CHECK(life.say({.verb = Verb::promote, .percent = 5}, at(3)).code == refused::state_file);
    SECTION("it is as it was when the file has come back") {
        CHECK(life.control.restore(good, disk.last_line(), at(5)).empty());
        CHECK(life.traffic->share() == 50);
    }
    SECTION("but for what was decided meanwhile") {
        CHECK(life.say({.verb = Verb::rollback}, at(4)).done);
        CHECK(life.say({.verb = Verb::panic}, at(4)).done);
        CHECK(disk.state == broken);  // left as it was found
        CHECK(life.control.restore(good, disk.last_line(), at(5)).empty());
        CHECK(life.traffic->share() == 0);
        CHECK(life.say({.verb = Verb::unpanic}, at(6)).done);
        CHECK(life.view().desired == 0);
        CHECK(Life(disk, 80, false, at(7)).view().desired == 0);
    }
}

TEST_CASE("panic wins over all, from each entrance, and survives a restart", "[cutover]") {
    Disk disk;
    Life life(disk, 100);
    CHECK(life.say({.verb = Verb::panic, .reason = "smoke"}, at(1)).done);
    CHECK(life.traffic->share() == 0);
    CHECK_FALSE(life.traffic->open());
    CHECK(life.view().desired == 100);
    CHECK(life.view().effective == 0);
    CHECK(life.view().why == "panic");
    Life next(disk, 100, false, at(2));
    CHECK(next.control.panic());
    CHECK(next.traffic->share() == 0);
    next.control.set_panic_file(true, at(3));
    CHECK(next.say({.verb = Verb::unpanic}, at(4)).code == refused::panic_file);
    next.control.set_panic_file(false, at(5));
    CHECK(next.control.panic());
    CHECK(next.say({.verb = Verb::unpanic}, at(6)).done);
    CHECK(next.traffic->share() == 100);
    next.control.set_panic_file(true, at(7));
    CHECK(next.traffic->share() == 0);
    next.control.set_panic_file(false, at(8));
    CHECK(next.traffic->share() == 100);
}

TEST_CASE("gates keep a raise back until the evidence is there, for each step anew", "[cutover]") {
    Disk disk;
    Life life(disk, 0, true);
    CHECK(life.say({.verb = Verb::shadow}, at(1)).done);
    CHECK(life.say({.verb = Verb::promote}, at(2)).code == refused::evidence);
    for (int i = 0; i < 1000; ++i) {
        life.control.note(name, perfect(), at(3));
    }
    CHECK(life.view().verdict == Verdict::pass);
    const Reply reply = life.say({.verb = Verb::promote}, at(4));
    CHECK(reply.done);
    CHECK(life.traffic->share() == 1);
    CHECK(life.view().verdict == Verdict::inconclusive);
    CHECK(life.say({.verb = Verb::promote}, at(1000)).code == refused::evidence);
    CHECK(verify(disk.audit, hash).holds);
    CHECK(disk.audit.find("\"verdict\":\"pass\"") != std::string::npos);
}

TEST_CASE("stale evidence opens no gate", "[cutover]") {
    Disk disk;
    Life life(disk, 0, true);
    for (int i = 0; i < 1000; ++i) {
        life.control.note(name, perfect(), at(3));
    }
    CHECK(life.say({.verb = Verb::promote}, at(3 + 24 * 3600 + 1)).code == refused::evidence);
    life.control.note(name, perfect(), at(4 + 24 * 3600));
    CHECK(life.view().verdict == Verdict::pass);
    life.control.make_stale(name, "the index was rebuilt", at(5 + 24 * 3600));
    CHECK(life.view().verdict == Verdict::inconclusive);
}

TEST_CASE("a guard takes the traffic back, and only the effective share shows it", "[cutover]") {
    Disk disk;
    Life life(disk, 50);
    int compared = 0;
    while (life.traffic->share() > 0 && compared < 100) {
        life.control.note(name, {.recall_at_most = 0.8}, at(1));
        ++compared;
    }
    CHECK(compared < 40);
    CHECK(life.view().desired == 50);
    CHECK(life.view().allowed == 0);
    CHECK(life.view().effective == 0);
    CHECK(life.view().why == "tripped");
    CHECK_FALSE(life.traffic->open());
    life.control.adopt(name, 50);
    CHECK(life.traffic->share() == 0);
    Life next(disk, 50, false, at(2));
    CHECK(next.traffic->share() == 0);
    CHECK(next.say({.verb = Verb::promote}, at(3)).code == refused::cooldown);
    CHECK_FALSE(life.control.take_notices().empty());
}

TEST_CASE(
    "a wrong answer in shadow closes the route to whoever chose it, and is logged", "[cutover]"
) {
    Disk disk;
    Life life(disk);
    CHECK(life.say({.verb = Verb::shadow}, at(1)).done);
    CHECK(life.traffic->open());
    life.control.take_notices();
    life.control.note(name, {.hard = HardDifference::invisible_row}, at(2));
    CHECK_FALSE(life.traffic->open());
    CHECK(life.traffic->cause() == Cause::tripped);
    const auto notices = life.control.take_notices();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].find("correctness") != std::string::npos);
    CHECK(notices[0].find("invisible_row") != std::string::npos);
    CHECK_FALSE(Life(disk, 0, false, at(3)).traffic->open());
    CHECK(life.say({.verb = Verb::acknowledge}, at(4)).done);
    CHECK(life.traffic->open());
    CHECK(verify(disk.audit, hash).holds);
}

TEST_CASE("lag diverts and comes back by itself, and changes no position", "[cutover]") {
    Disk disk;
    Life life(disk, 50);
    const std::uint64_t revision = life.view().revision;
    life.control.note(name, Gauges{.lag = std::chrono::seconds(5)}, at(1));
    life.control.note(name, Gauges{.lag = std::chrono::seconds(5)}, at(4));
    CHECK(life.traffic->share() == 0);
    CHECK(life.view().why == "lag");
    CHECK(life.view().allowed == 50);
    CHECK(life.say({.verb = Verb::promote, .percent = 60}, at(5)).code == refused::not_live);
    life.control.note(name, Gauges{.lag = Duration(10)}, at(6));
    life.control.note(name, Gauges{.lag = Duration(10)}, at(37));
    CHECK(life.traffic->share() == 50);
    CHECK(life.view().revision == revision);
}

TEST_CASE("a trial ends by itself, across a restart too", "[cutover]") {
    Disk disk;
    {
        Life life(disk);
        const Command trial{
            .verb = Verb::promote, .percent = 50, .lasting = std::chrono::minutes(10)};
        CHECK(life.say(trial, at(0)).next_step == "confirm " + name);
        life.control.tick(at(599));
        CHECK(life.traffic->share() == 50);
    }
    Life next(disk, 0, false, at(599));
    CHECK(next.traffic->share() == 50);
    next.control.tick(at(600));
    CHECK(next.traffic->share() == 0);
    CHECK(next.view().origin == Origin::trial);
    CHECK(next.control.routes().at(0).state == State::observe);
}

TEST_CASE("automatic steps go up while the gates are open, and stop after a trip", "[cutover]") {
    Disk disk;
    Life life(disk, 0, true);
    life.step_by_itself();
    std::int64_t now = 0;
    for (const double expected : {1.0, 5.0, 25.0}) {
        life.control.tick(at(now));
        for (int i = 0; i < 1000; ++i) {
            life.control.note(name, perfect(), at(now));
        }
        life.control.tick(at(now));
        CHECK(life.traffic->share() == expected);
        CHECK(life.view().origin == Origin::automation);
        now += 600;
    }
    for (int i = 0; i < 100; ++i) {
        life.control.note(name, {.recall_at_most = 0.5}, at(now));
    }
    CHECK(life.traffic->share() == 0);
    for (int i = 0; i < 1000; ++i) {
        life.control.note(name, perfect(), at(now + 9000));
    }
    life.control.tick(at(now + 10'000));
    CHECK(life.traffic->share() == 0);
}

TEST_CASE("automatic steps leave alone what was taken back, until it is promoted", "[cutover]") {
    Disk disk;
    Life life(disk, 0, true);
    life.step_by_itself();
    const auto pass_gates = [&](std::int64_t now) {
        life.control.tick(at(now));
        for (int i = 0; i < 1000; ++i) {
            life.control.note(name, perfect(), at(now));
        }
        life.control.tick(at(now));
    };
    pass_gates(1);
    pass_gates(601);
    CHECK(life.traffic->share() == 5);
    CHECK(life.say({.verb = Verb::rollback}, at(700)).done);
    pass_gates(3000);
    pass_gates(9000);
    CHECK(life.traffic->share() == 0);
    CHECK(life.say({.verb = Verb::promote}, at(9001)).done);
    CHECK(life.traffic->share() == 1);
    pass_gates(9700);
    CHECK(life.traffic->share() == 5);
}

TEST_CASE("who is complete is not compared with an index that need not be there", "[cutover]") {
    const cutover::Comparison worse{.recall = 0.96, .postgres_recall = 1.0};
    for (const bool complete : {false, true}) {
        Disk disk;
        Life life(disk, 100);
        if (complete) {
            CHECK(life.say({.verb = Verb::complete, .typed = name}, at(1)).done);
        }
        for (int i = 0; i < 20'000; ++i) {
            life.control.note(name, worse, at(2));
        }
        CAPTURE(complete);
        CHECK((life.traffic->share() == 100 && life.view().held == false) == complete);
    }
}

TEST_CASE("fallbacks that searches count reach the guard", "[cutover]") {
    Disk disk;
    Life life(disk, 50);
    life.traffic->fallbacks += 20;
    life.traffic->veer += 20;
    life.control.tick(at(1));
    CHECK(life.traffic->share() < 50);
    CHECK(life.view().desired == 50);
}

TEST_CASE(
    "an unknown route is refused with the known ones; a dry run changes nothing", "[cutover]"
) {
    Disk disk;
    Life life(disk);
    const Reply unknown = life.say({.verb = Verb::rollback, .route = "nonsense"}, at(1));
    CHECK(unknown.code == refused::unknown_route);
    CHECK(unknown.message.find(name) != std::string::npos);
    const Reply dry = life.say({.verb = Verb::promote, .percent = 5, .dry_run = true}, at(2));
    CHECK(dry.done);
    CHECK(life.traffic->share() == 0);
    CHECK(disk.audit.empty());
}

TEST_CASE("rollback all and its audit", "[cutover]") {
    Disk disk;
    Life life(disk, 50);
    const auto other = life.control.adopt("public.images.embedding <->", 70);
    CHECK(life.say({.verb = Verb::rollback_all}, at(1)).done);
    CHECK(life.traffic->share() == 0);
    CHECK(other->share() == 0);
    CHECK(verify(disk.audit, hash).holds);
    const auto records = life.control.audit();
    REQUIRE(records.size() == 4);
    CHECK(records.back().actor == "alice");
    CHECK(records.back().from == "canary 70");
    CHECK(records.back().to == "shadow 0");
}

TEST_CASE("a clock that goes back changes nothing", "[cutover]") {
    Disk disk;
    Life life(disk);
    const Command trial{.verb = Verb::promote, .percent = 50, .lasting = std::chrono::minutes(10)};
    CHECK(life.say(trial, at(100)).done);
    life.control.tick(at(50));
    CHECK(life.traffic->share() == 50);
    // But where the clock is behind after a restart, nobody knows how long the trial has lasted.
    Life next(disk, 0, false, at(0));
    next.control.tick(at(1));
    CHECK(next.traffic->share() == 0);
}

}  // namespace veer::router::cutover
