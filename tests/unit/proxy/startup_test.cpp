#include "proxy/session/startup.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::proxy::session {

using namespace std::string_literals;

namespace {

const std::string ssl_request = "\0\0\0\x08\x04\xd2\x16\x2f"s;
const std::string gssenc_request = "\0\0\0\x08\x04\xd2\x16\x30"s;
const std::string cancel_request = "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"s;
const std::string startup = "\0\0\0\x1c\0\3\0\0user\0me\0database\0d\0\0"s;

}  // namespace

TEST_CASE("Startup answers SSLRequest and GSSENCRequest with N, in either order", "[proxy]") {
    Startup first;
    CHECK(first.on_bytes(ssl_request) == StartupAction{SendReply{"N"}});
    CHECK(first.on_bytes(gssenc_request) == StartupAction{SendReply{"N"}});
    Startup second;
    CHECK(second.on_bytes(gssenc_request) == StartupAction{SendReply{"N"}});
    CHECK(second.on_bytes(ssl_request) == StartupAction{SendReply{"N"}});
}

TEST_CASE("Startup refuses a second SSLRequest", "[proxy]") {
    Startup startup_machine;
    startup_machine.on_bytes(ssl_request);
    CHECK(std::holds_alternative<Refuse>(startup_machine.on_bytes(ssl_request)));
}

TEST_CASE("Startup refuses bytes stuffed behind SSLRequest", "[proxy]") {
    Startup startup_machine;
    CHECK(std::holds_alternative<Refuse>(startup_machine.on_bytes(ssl_request + startup)));
}

TEST_CASE("Startup forwards a StartupMessage as it came, once it is whole", "[proxy]") {
    Startup startup_machine;
    for (std::size_t length = 0; length < startup.size(); ++length) {
        CHECK(startup_machine.on_bytes(startup.substr(0, length)) == StartupAction{ReadMore{}});
    }
    const StartupAction action = startup_machine.on_bytes(startup + "more");
    const auto* forward = std::get_if<ForwardStartup>(&action);
    REQUIRE(forward != nullptr);
    CHECK(forward->packet == startup);
    CHECK(forward->rest == "more");
    CHECK(forward->message.parameter("user") == "me");
    CHECK(forward->message.parameter("database") == "d");
    CHECK(forward->message.parameter("options").empty());
}

TEST_CASE("Startup forwards a CancelRequest as it came", "[proxy]") {
    Startup startup_machine;
    CHECK(startup_machine.on_bytes(cancel_request) == StartupAction{ForwardCancel{cancel_request}});
}

TEST_CASE("Startup closes on a length that Postgres refuses", "[proxy]") {
    CHECK(Startup().on_bytes("\0\0\0\7\0\3\0\0"s) == StartupAction{Refuse{}});
    CHECK(Startup().on_bytes("\0\1\0\0\0\3\0\0"s) == StartupAction{Refuse{}});
    CHECK(Startup().on_bytes("\xff\xff\xff\xff\0\3\0\0"s) == StartupAction{Refuse{}});
    CHECK(Startup().on_bytes("\0\0\0\x0c\0\3\0\0user"s) == StartupAction{Refuse{}});
}

}  // namespace veer::proxy::session
