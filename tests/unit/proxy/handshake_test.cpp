#include "proxy/net/greeting.hpp"
#include "proxy/net/upstream_handshake.hpp"
#include "tests/support/certificates.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>

namespace veer::proxy::net {

using namespace std::string_literals;

namespace {

using Status = UpstreamHandshake::Status;
using When = UpstreamTls::When;

const std::string ssl_request = "\0\0\0\x08\x04\xd2\x16\x2f"s;
const std::string gssenc_request = "\0\0\0\x08\x04\xd2\x16\x30"s;
const std::string cancel_request = "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"s;
const std::string startup = "\0\0\0\x1c\0\3\0\0user\0me\0database\0d\0\0"s;

tests::Certificates& certificates() {
    static tests::Certificates made;
    return made;
}

std::shared_ptr<const ListenTls> listening(bool offered = true) {
    static const auto pair = certificates().make("db.example", {"DNS:db.example"});
    auto context = TlsContext::for_clients({.certificate = pair.certificate, .key = pair.key});
    REQUIRE(context.has_value());
    return std::make_shared<ListenTls>(ListenTls{
        .options = {.encryption_offered = offered}, .context = *context});
}

UpstreamTls upstream(When when, bool direct = false, bool verify_host = false) {
    auto context = TlsContext::for_upstream({.authorities = certificates().authority()});
    REQUIRE(context.has_value());
    return {.when = when, .direct = direct, .verify_host = verify_host, .context = *context};
}

/// A handshake towards a greeting, `step` bytes at a time.
struct Talk {
    std::string to_server;
    std::string to_client;
    Greeting server;
    UpstreamHandshake client;
    Status status = Status::under_way;
    session::StartupAction action;

    Talk(
        std::shared_ptr<const ListenTls> listen,
        const UpstreamTls& tls,
        const std::string& host = "db.example"
    )
        : server(std::move(listen)), client(tls, host, to_server) {}

    void carry(std::size_t step = 100'000) {
        for (int flight = 0; flight < 6; ++flight) {
            const std::string up = std::exchange(to_server, {});
            for (std::size_t at = 0; at < up.size(); at += step) {
                action = server.on_bytes(std::string_view(up).substr(at, step), to_client);
            }
            const std::string down = std::exchange(to_client, {});
            for (std::size_t at = 0; at < down.size() && status == Status::under_way; at += step) {
                status = client.on_bytes(std::string_view(down).substr(at, step), to_server);
            }
        }
    }
};

}  // namespace

TEST_CASE("A handshake leads to the first packet, asked for or direct, in any pieces", "[proxy]") {
    for (const bool direct : {false, true}) {
        for (const std::size_t step : {std::size_t{1}, std::size_t{100'000}}) {
            Talk talk(listening(), upstream(When::always, direct, true));
            talk.carry(step);
            REQUIRE(talk.status == Status::done);
            TlsLayer layer = talk.client.take_layer();
            CHECK(layer.encrypted());
            talk.to_server = layer.sealed(startup + "rest");
            talk.carry(step);
            const auto* forward = std::get_if<session::ForwardStartup>(&talk.action);
            REQUIRE(forward != nullptr);
            CHECK(forward->packet == startup);
            TlsLayer back = talk.server.take_layer();
            CHECK(layer.opened(std::string(back.sealed("welcome"))) == "welcome");
            CHECK(back.opened(std::string(layer.sealed("thanks"))) == "thanks");
            layer.close();
            CHECK(back.opened(std::string(layer.own_words())).empty());
            CHECK(back.ended());
        }
    }
}

TEST_CASE("A packet that comes with the last of the handshake is not lost", "[proxy]") {
    Talk talk(listening(), upstream(When::always, true));
    talk.action = talk.server.on_bytes(std::exchange(talk.to_server, {}), talk.to_client);
    talk.status = talk.client.on_bytes(talk.to_client, talk.to_server);
    REQUIRE(talk.status == Status::done);
    TlsLayer layer = talk.client.take_layer();
    const std::string together = talk.to_server + std::string(layer.sealed(cancel_request));
    std::string answer;
    CHECK(
        talk.server.on_bytes(together, answer) ==
        session::StartupAction{session::ForwardCancel{cancel_request}}
    );
}

TEST_CASE("A server without TLS is used in the clear, or not at all", "[proxy]") {
    const auto result = [](When when) {
        Talk talk(listening(false), upstream(when));
        talk.carry();
        return std::pair(talk.status, talk.client.problem());
    };
    CHECK(result(When::if_offered) == std::pair(Status::done, ""s));
    CHECK(result(When::if_refused) == std::pair(Status::done, ""s));
    CHECK(
        result(When::always) ==
        std::pair(Status::broken, "server does not support SSL, but SSL was required"s)
    );
}

TEST_CASE("What a server says before the handshake is not believed", "[proxy]") {
    const auto problem = [](const std::string& answer) {
        std::string sent;
        UpstreamHandshake client(upstream(When::if_offered), "db.example", sent);
        CHECK(sent == ssl_request);
        CHECK(client.on_bytes(answer, sent) == Status::broken);
        CHECK_FALSE(client.may_go_plain());
        CHECK(sent == ssl_request);
        return client.problem();
    };
    CHECK(
        problem("E\0\0\0\x30SFATAL\0Mgive me your password\0\0"s) ==
        "server sent an error response during SSL exchange"
    );
    CHECK(problem("Sx") == "received unencrypted data after SSL response");
    CHECK(problem("NR\0\0\0\x08\0\0\0\0"s) == "received unencrypted data after SSL response");
    CHECK(problem("R") == "received invalid response to SSL negotiation");
}

TEST_CASE(
    "A handshake that fails is tried again in the clear only where that is preferred", "[proxy]"
) {
    for (const When when : {When::if_refused, When::if_offered, When::always}) {
        std::string sent;
        UpstreamHandshake client(upstream(when), "db.example", sent);
        CHECK(client.on_bytes("S", sent) == Status::under_way);
        CHECK(client.on_bytes("HTTP/1.1 400 Bad Request\r\n", sent) == Status::broken);
        CHECK(client.problem().starts_with("SSL error: "));
        CHECK(client.may_go_plain() == (when == When::if_offered));
    }
}

TEST_CASE("A server with another name is refused where its name counts", "[proxy]") {
    Talk other(listening(), upstream(When::always, false, true), "other.example");
    other.carry();
    CHECK(other.status == Status::broken);
    CHECK(
        other.client.problem() == "server certificate does not match host name \"other.example\""
    );
    Talk careless(listening(), upstream(When::always), "other.example");
    careless.carry();
    CHECK(careless.status == Status::done);
}

TEST_CASE("Greeting refuses bytes stuffed between request and handshake", "[proxy]") {
    for (const std::string& stuffed : {startup, "x"s}) {
        Greeting greeting(listening());
        std::string answer;
        const auto action = greeting.on_bytes(ssl_request + stuffed, answer);
        CHECK(std::holds_alternative<session::Refuse>(action));
        CHECK(answer.starts_with("E"));
        CHECK(answer.find("received unencrypted data after SSL request") != std::string::npos);
    }
    // Sent after the answer they are no handshake.
    Greeting greeting(listening());
    std::string answer;
    CHECK(greeting.on_bytes(gssenc_request, answer) == session::StartupAction{session::ReadMore{}});
    CHECK(greeting.on_bytes(ssl_request, answer) == session::StartupAction{session::ReadMore{}});
    CHECK(answer == "NS");
    CHECK(std::holds_alternative<session::Refuse>(greeting.on_bytes(startup, answer)));
    CHECK_FALSE(greeting.problem().empty());
}

}  // namespace veer::proxy::net
