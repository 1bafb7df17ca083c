#include "proxy/session/startup.hpp"

#include "proxy/wire/backend.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::proxy::session {

using namespace std::string_literals;

namespace {

const std::string ssl_request = "\0\0\0\x08\x04\xd2\x16\x2f"s;
const std::string gssenc_request = "\0\0\0\x08\x04\xd2\x16\x30"s;
const std::string cancel_request = "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"s;
const std::string startup = "\0\0\0\x1c\0\3\0\0user\0me\0database\0d\0\0"s;

const StartupOptions offered{.encryption_offered = true};

std::string said(const StartupAction& action) {
    const auto* refuse = std::get_if<Refuse>(&action);
    return refuse == nullptr ? "nothing" : refuse->bytes;
}

/// SQLSTATE and text of a refusal.
std::string refusal(const StartupAction& action) {
    const auto* refuse = std::get_if<Refuse>(&action);
    if (refuse == nullptr || refuse->bytes.size() < wire::frame_header_bytes) {
        return "none";
    }
    std::string_view bytes = refuse->bytes;
    bytes.remove_prefix(bytes.front() == 'N' ? 1 : 0);  // an answer before it
    const auto said = wire::decode_diagnostics(bytes.substr(wire::frame_header_bytes));
    return said.sqlstate + ' ' + said.message;
}

}  // namespace

TEST_CASE("Startup answers SSLRequest and GSSENCRequest with N, in either order", "[proxy]") {
    Startup first;
    CHECK(first.on_bytes(ssl_request) == StartupAction{SendReply{"N"}});
    CHECK(first.on_bytes(gssenc_request) == StartupAction{SendReply{"N"}});
    Startup second;
    CHECK(second.on_bytes(gssenc_request) == StartupAction{SendReply{"N"}});
    CHECK(second.on_bytes(ssl_request) == StartupAction{SendReply{"N"}});
}

TEST_CASE("Startup takes a second SSLRequest for what Postgres takes it", "[proxy]") {
    for (const StartupOptions& options : {StartupOptions{}, offered}) {
        Startup startup_machine(options);
        startup_machine.on_bytes(ssl_request);
        CHECK(
            refusal(startup_machine.on_bytes(ssl_request)) ==
            "0A000 unsupported frontend protocol 1234.5679: server supports 3.0 to 3.0"
        );
    }
    Startup twice;
    twice.on_bytes(gssenc_request);
    CHECK(
        refusal(twice.on_bytes(gssenc_request)) ==
        "0A000 unsupported frontend protocol 1234.5680: server supports 3.0 to 3.0"
    );
}

TEST_CASE("Startup refuses bytes stuffed behind an encryption request", "[proxy]") {
    for (const StartupOptions& options : {StartupOptions{}, offered}) {
        for (const std::string& stuffed : {startup, "x"s, "\x16"s, ssl_request}) {
            CHECK(
                refusal(Startup(options).on_bytes(ssl_request + stuffed)) ==
                "08P01 received unencrypted data after SSL request"
            );
            CHECK(
                refusal(Startup(options).on_bytes(gssenc_request + stuffed)) ==
                "08P01 received unencrypted data after GSSAPI encryption request"
            );
            const bool answered = said(Startup(options).on_bytes(ssl_request + stuffed))[0] == 'N';
            CHECK(answered != options.encryption_offered);
        }
    }
}

TEST_CASE("Startup begins TLS where it is offered, also after GSSENCRequest", "[proxy]") {
    Startup startup_machine(offered);
    CHECK(startup_machine.on_bytes(gssenc_request) == StartupAction{SendReply{"N"}});
    CHECK(startup_machine.on_bytes(ssl_request) == StartupAction{BeginTls{"S"}});
    CHECK(startup_machine.on_encrypted({}) == StartupAction{ReadMore{}});
    CHECK(std::holds_alternative<ForwardStartup>(startup_machine.on_bytes(startup)));
}

TEST_CASE("Startup asks for no further encryption inside TLS", "[proxy]") {
    for (const std::string& request : {ssl_request, gssenc_request}) {
        Startup startup_machine(offered);
        startup_machine.on_bytes(ssl_request);
        startup_machine.on_encrypted({});
        CHECK(refusal(startup_machine.on_bytes(request))
                  .starts_with("0A000 unsupported frontend protocol 1234.56"));
    }
}

TEST_CASE("Startup takes TLS as the first bytes only where ALPN agrees", "[proxy]") {
    CHECK(Startup().on_bytes("\x16\x03\x01") == StartupAction{Refuse{}});
    Startup startup_machine(offered);
    CHECK(startup_machine.on_bytes("\x16") == StartupAction{BeginTls{}});
    CHECK(startup_machine.on_encrypted({.protocol = "postgresql"}) == StartupAction{ReadMore{}});
    CHECK(std::holds_alternative<ForwardCancel>(startup_machine.on_bytes(cancel_request)));
    for (const std::string protocol : {"", "http/1.1"}) {
        Startup other(offered);
        other.on_bytes("\x16");
        CHECK(other.on_encrypted({.protocol = protocol}) == StartupAction{Refuse{}});
    }
    Startup late(offered);
    late.on_bytes(gssenc_request);
    CHECK_FALSE(std::holds_alternative<BeginTls>(late.on_bytes("\x16\x03\x01\x02\0\x01\0\x01"s)));
}

TEST_CASE(
    "Startup refuses what is not encrypted where it must be, but no CancelRequest", "[proxy]"
) {
    const StartupOptions required{.encryption_offered = true, .encryption_required = true};
    CHECK(
        refusal(Startup(required).on_bytes(startup)) ==
        "28000 veer rejects connection for user \"me\", database \"d\", no encryption"
    );
    CHECK(
        Startup(required).on_bytes(cancel_request) == StartupAction{ForwardCancel{cancel_request}}
    );
    Startup encrypted(required);
    encrypted.on_bytes(ssl_request);
    encrypted.on_encrypted({});
    CHECK(std::holds_alternative<ForwardStartup>(encrypted.on_bytes(startup)));
}

TEST_CASE("Startup wants a client certificate, and its name, where told to", "[proxy]") {
    const auto answer = [](bool names_user, const ClientEncryption& encryption) {
        Startup machine(
            {.encryption_offered = true,
             .encryption_required = true,
             .certificate_required = true,
             .certificate_names_user = names_user}
        );
        machine.on_bytes(ssl_request);
        machine.on_encrypted(encryption);
        return refusal(machine.on_bytes(startup));
    };
    CHECK(answer(false, {}) == "28000 connection requires a valid client certificate");
    CHECK(answer(true, {}) == "28000 connection requires a valid client certificate");
    CHECK(answer(false, {.certificate = true, .common_name = "you"}) == "none");
    CHECK(
        answer(true, {.certificate = true, .common_name = "you"}) ==
        "28000 certificate authentication failed for user \"me\""
    );
    CHECK(answer(true, {.certificate = true, .common_name = "me"}) == "none");
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
}

TEST_CASE("Startup leaves a packet without its terminators to Postgres, and believes none of it") {
    const std::string cut = "\0\0\0\x16\0\3\0\0database\0veer\0"s;
    const StartupAction action = Startup().on_bytes(cut);
    const auto* const forward = std::get_if<ForwardStartup>(&action);
    REQUIRE(forward != nullptr);
    CHECK(forward->packet == cut);
    CHECK(forward->message.parameters.empty());
}

}  // namespace veer::proxy::session
