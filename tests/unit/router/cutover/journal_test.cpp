#include "router/cutover/journal.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::cutover {

namespace {

Time at(std::int64_t milliseconds) {
    return Time(Duration(milliseconds));
}

Stored example() {
    Stored stored;
    stored.panic = true;
    stored.audit_seq = 118;
    stored.audit_hash = "b81e";
    Stored::Route route;
    route.position.state = State::canary;
    route.position.desired = 12.345;
    route.position.ceiling = 5;
    route.position.revision = 42;
    route.position.origin = Origin::guard;
    route.position.file_percent = 0.001;
    route.position.held = true;
    route.position.since = at(1'793'372'527'114);
    route.position.trial = Trial{at(1), at(2), State::shadow, 0};
    route.position.trip = Trip{"recall_floor", at(3), at(4), false};
    route.position.cooldown = Duration(900'000);
    route.position.good = 25;
    route.position.before_state = State::full;
    route.position.before_desired = 100;
    route.position.reshuffles = 2;
    route.position.quarantined = {7, 0xffffffffffffffffULL};
    route.evidence.recall.add(90, 4);
    route.evidence.recall.add(100, 996);
    route.evidence.compared = 1000;
    route.evidence.first = at(5);
    route.evidence.last = at(6);
    stored.routes["public.documents.embedding <=>"] = route;
    stored.routes["odd\tname\nwith \\ and =, <->"] = Stored::Route();
    return stored;
}

std::string problem(const std::string& text) {
    const auto decoded = decode(text);
    const auto* why = std::get_if<std::string>(&decoded);
    return why == nullptr ? "" : *why;
}

}  // namespace

TEST_CASE("what is stored is what is read", "[cutover]") {
    const Stored stored = example();
    const auto decoded = decode(encode(stored));
    REQUIRE(std::holds_alternative<Stored>(decoded));
    CHECK(std::get<Stored>(decoded) == stored);
    CHECK(problem(encode(Stored())).empty());
}

TEST_CASE("a state cut short anywhere is refused, and says what to do", "[cutover]") {
    const std::string text = encode(example());
    for (std::size_t length = 0; length < text.size(); ++length) {
        const std::string why = problem(text.substr(0, length));
        REQUIRE(why.find("SIGHUP") != std::string::npos);
    }
}

TEST_CASE("a state with any byte changed is refused", "[cutover]") {
    const std::string text = encode(example());
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == '1' ? '2' : '1';
        REQUIRE_FALSE(problem(changed).empty());
    }
}

TEST_CASE("a state of a newer version is refused by name", "[cutover]") {
    std::string text = encode(example());
    text.replace(text.find("state 1"), 7, "state 2");
    CHECK(problem(text).find("newer veer (format 2") != std::string::npos);
}

TEST_CASE("a position that cannot be is refused", "[cutover]") {
    Stored stored = example();
    stored.routes.begin()->second.position.state = State::full;
    stored.routes.begin()->second.position.desired = 25;
    CHECK(problem(encode(stored)).find("not understood") != std::string::npos);
}

}  // namespace veer::router::cutover
