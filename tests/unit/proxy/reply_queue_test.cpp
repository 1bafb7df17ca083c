#include "proxy/session/reply_queue.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::proxy::session {

namespace {

Expected awaited(Awaited what, Fate fate = Fate::forward) {
    return {.awaited = what, .fate = fate};
}

Expected local(std::string bytes) {
    return {.awaited = Awaited::local, .bytes = std::move(bytes)};
}

}  // namespace

TEST_CASE("local bytes come out between the replies around them", "[proxy]") {
    ReplyQueue queue;
    queue.expect(awaited(Awaited::parse));
    queue.expect(local("mine"));
    queue.expect(awaited(Awaited::sync));
    std::string out;
    CHECK_FALSE(queue.take_local(out, 'I'));
    REQUIRE(queue.on_message('1'));
    CHECK(queue.take_local(out, 'I'));
    CHECK(out == "mine");
    const auto ready = queue.on_message('Z');
    REQUIRE(ready);
    CHECK(ready->last);
    CHECK(queue.empty());
}

TEST_CASE("a Close frees its name once it is answered, and not where it is skipped", "[proxy]") {
    ReplyQueue queue;
    const auto search = std::make_shared<const PreparedStatement>();
    queue.expect({.awaited = Awaited::parse, .statement = search, .name = "s"});
    CHECK(queue.pending_statement("s") == search);
    queue.expect({.awaited = Awaited::close, .name = "s", .frees_name = true});
    REQUIRE(queue.pending_statement("s").has_value());
    CHECK(*queue.pending_statement("s") == nullptr);
    CHECK_FALSE(queue.pending_statement("other").has_value());
    queue.expect(awaited(Awaited::sync));
    REQUIRE(queue.on_message('1'));
    const auto closed = queue.on_message('3');
    REQUIRE(closed);
    CHECK((closed->frees_name && closed->name == "s"));
    REQUIRE(queue.on_message('Z'));
    queue.expect(awaited(Awaited::execute));
    queue.expect({.awaited = Awaited::close, .name = "s", .frees_name = true});
    queue.expect(awaited(Awaited::sync));
    queue.on_error();
    CHECK_FALSE(queue.pending_statement("s").has_value());
}

TEST_CASE("an error drops everything up to the sync, local answers included", "[proxy]") {
    ReplyQueue queue;
    queue.expect(awaited(Awaited::parse));
    queue.expect(awaited(Awaited::bind));
    queue.expect(local("never sent"));
    queue.expect(awaited(Awaited::sync));
    queue.expect(awaited(Awaited::query));
    CHECK(queue.on_error().fate == Fate::forward);
    std::string out;
    CHECK_FALSE(queue.take_local(out, 'I'));
    CHECK(out.empty());
    CHECK(queue.on_message('Z')->awaited == Awaited::sync);
    CHECK(queue.on_message('Z')->awaited == Awaited::query);
}

TEST_CASE("after an error without sync nothing is awaited until a sync is sent", "[proxy]") {
    ReplyQueue queue;
    queue.expect(awaited(Awaited::execute));
    queue.on_error();
    CHECK(queue.skipping());
    queue.expect(awaited(Awaited::query));  // the server skips it: PgDog #1356
    CHECK(queue.empty());
    queue.expect(awaited(Awaited::sync));
    CHECK_FALSE(queue.skipping());
    CHECK(queue.size() == 1);
}

TEST_CASE("an error of a simple query leaves its ReadyForQuery awaited", "[proxy]") {
    ReplyQueue queue;
    queue.expect(awaited(Awaited::query));
    queue.on_error();
    CHECK_FALSE(queue.skipping());
    CHECK(queue.on_message('Z')->last);
}

TEST_CASE("a message that nobody asked for is noticed", "[proxy]") {
    ReplyQueue queue;
    CHECK_FALSE(queue.on_message('Z'));
    queue.expect(awaited(Awaited::parse));
    CHECK_FALSE(queue.on_message('2'));
}

TEST_CASE("COPY from the client in the extended protocol eats the Sync behind it", "[proxy]") {
    ReplyQueue queue;
    queue.expect(awaited(Awaited::execute));
    queue.expect(awaited(Awaited::sync));
    CHECK(queue.on_message('G'));
    queue.on_copy_in();
    CHECK(queue.size() == 1);
    CHECK(queue.on_message('C')->last);
    queue.expect(awaited(Awaited::sync));
    CHECK(queue.on_message('Z')->last);
}

TEST_CASE("Describe of a statement ends with its rows, not with its parameters", "[proxy]") {
    ReplyQueue queue;
    queue.expect(awaited(Awaited::describe_statement));
    CHECK_FALSE(queue.on_message('t')->last);
    CHECK(queue.on_message('n')->last);
}

}  // namespace veer::proxy::session
