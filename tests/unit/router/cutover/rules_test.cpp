#include "router/cutover/rules.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::cutover {

namespace {

config::Rule rule(std::uint32_t id) {
    config::Rule made;
    made.id = id;
    return made;
}

}  // namespace

TEST_CASE("the first matching rule speaks, and a pin to Postgres wherever it stands", "[cutover]") {
    config::Rule staff = rule(10);
    staff.role = "staff";
    staff.max_percent = 100;
    config::Rule others = rule(20);
    others.max_percent = 5;
    config::Rule billing = rule(30);
    billing.application = "billing";
    billing.pin_postgres = true;
    const RuleSet rules({others, billing, staff}, nullptr);
    CHECK(rules.rule({.role = "staff"}).max_percent == 100);
    CHECK(rules.rule({.role = "alice"}).max_percent == 5);
    CHECK(rules.rule({.role = "staff", .application = "billing"}).postgres);
    const auto views = rules.views();
    REQUIRE(views.size() == 3);
    CHECK(views[0].rule.id == 10);
    CHECK(views[0].match == "role=staff");
    CHECK(views[2].effect == "pin=postgres");
    CHECK(views[0].hits == 1);
    CHECK(views[1].hits == 1);
    CHECK(views[2].hits == 1);
}

TEST_CASE("every condition of a rule has to hold", "[cutover]") {
    const std::vector<Tag> tags{{"route", "/search"}, {"app", "web"}};
    const Subject subject{
        .route = "public.d.e <=>",
        .role = "alice",
        .application = "web",
        .database = "app",
        .client = "10.1.2.3",
        .shape = 0xabc,
        .k = 10,
        .tags = tags};
    CHECK(matches(rule(1), subject));
    const auto with = [](auto change) {
        config::Rule changed = rule(1);
        change(changed);
        return changed;
    };
    using R = config::Rule;
    CHECK(matches(with([](R& r) { r.route = "public.d.e <=>"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.route = "public.d.e <->"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.role = "bob"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.database = "other"; }), subject));
    CHECK(matches(with([](R& r) { r.operator_name = "<=>"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.operator_name = "<->"; }), subject));
    CHECK(matches(with([](R& r) { r.client = "10.1.0.0/16"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.client = "10.2.0.0/16"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.client = "0.0.0.0/0"; }), Subject{}));  // Unix socket
    CHECK(matches(with([](R& r) { r.shape = "0000000000000abc"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.shape = "0000000000000abd"; }), subject));
    CHECK(matches(with([](R& r) { r.tag = "route=/search"; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.tag = "route=/other"; }), subject));
    CHECK(matches(
        with([](R& r) {
            r.k_min = 10;
            r.k_max = 10;
        }),
        subject
    ));
    CHECK_FALSE(matches(with([](R& r) { r.k_min = 11; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.k_max = 9; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.active = false; }), subject));
    CHECK(matches(with([](R& r) { r.filtered = false; }), subject));
    CHECK_FALSE(matches(with([](R& r) { r.filtered = true; }), subject));
    CHECK(matches(with([](R& r) { r.filtered = true; }), Subject{.filtered = true}));
}

TEST_CASE("the rule that speaks says what is compared, and that is no hit", "[cutover]") {
    config::Rule half = rule(10);
    half.role = "batch";
    half.sample = 0.5;
    config::Rule pinned = rule(20);
    pinned.application = "billing";
    pinned.pin_postgres = true;
    const RuleSet rules({half, pinned}, nullptr);
    CHECK(rules.sample({.role = "batch"}) == 0.5);
    CHECK_FALSE(rules.sample({.role = "web"}));
    CHECK_FALSE(rules.sample({.role = "batch", .application = "billing"}));
    CHECK(rules.views()[0].hits == 0);
}

TEST_CASE("when a rule was hit last is known to the look that saw it", "[cutover]") {
    const RuleSet rules({rule(1)}, nullptr);
    rules.note_hits(Time(Duration(100)));
    CHECK_FALSE(rules.views()[0].last_hit);
    rules.rule({});
    rules.note_hits(Time(Duration(200)));
    rules.note_hits(Time(Duration(300)));
    CHECK(rules.views()[0].last_hit == Time(Duration(200)));
}

TEST_CASE("a reload keeps the hits of rules that stay the same", "[cutover]") {
    config::Rule kept = rule(1);
    kept.role = "a";
    config::Rule changed = rule(2);
    const RuleSet before({kept, changed}, nullptr);
    before.rule({.role = "a"});
    before.rule({.role = "b"});
    changed.max_percent = 1;
    const auto views = RuleSet({kept, changed}, &before).views();
    CHECK(views[0].hits == 1);
    CHECK(views[1].hits == 0);
}

}  // namespace veer::router::cutover
