#include "proxy/session/login.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/scram_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>
#include <vector>

namespace veer::proxy::session {

using namespace std::string_literals;

namespace {

const std::string ok = "R\0\0\0\x08\0\0\0\0"s;
const std::string both = "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"s;
const std::string plain_only = "SCRAM-SHA-256\0\0"s;

std::string authentication(std::int32_t code, const std::string& data = {}) {
    std::string bytes;
    wire::MessageWriter(bytes, 'R').i32(code).bytes(data);
    return bytes;
}

std::string initial(std::string_view mechanism, std::string_view data) {
    std::string bytes;
    wire::MessageWriter(bytes, 'p').text(mechanism).field(data);
    return bytes;
}

std::string response(std::string_view data) {
    std::string bytes;
    wire::MessageWriter(bytes, 'p').bytes(data);
    return bytes;
}

std::string fatal(std::string_view sqlstate, std::string_view message) {
    std::string bytes;
    wire::write_fatal(bytes, sqlstate, message);
    return bytes;
}

const auth::Derived& pencil() {
    static const auth::Derived derived = auth::derive("pencil", "salty salt", 4096);
    return derived;
}

LoginOptions options(bool client_encrypted, bool secrets) {
    return {
        .user = "me",
        .client_encrypted = client_encrypted,
        .server_encrypted = true,
        .secrets = secrets,
        .client_binding = {},
        .server_binding = {},
        .server_nonce = "veer-to-client",
        .client_nonce = "veer-to-server",
        .mock_secret = "mock"};
}

/// The whole of TLS on both sides: libpq in front, Postgres behind, each the machine of its side.
struct Dialogue {
    Login login;
    auth::ScramClient client;
    auth::ScramServer server;
    Output out;
    bool certificate_bound = false;

    explicit Dialogue(
        const LoginOptions& given,
        const auth::Derived& password = pencil(),
        const std::string& seen_by_client = {}
    )
        : login(given),
          client(
              {.channel_binding = seen_by_client, .nonce = "client"},
              password.secret,
              password.client_key
          ),
          server({.channel_binding = given.server_binding, .nonce = "server"}) {}

    std::string take(std::string& from) { return std::exchange(from, {}); }

    /// Payload of the only message in `from`, behind the authentication code.
    std::string data(std::string& from) { return take(from).substr(9); }

    /// Up to the client's proof.
    std::string prove(const std::string& offer) {
        login.on_server(authentication(10, offer), out);
        CHECK(login.take_secret_request());
        CHECK_FALSE(login.take_secret_request());
        take(out.to_client);
        login.on_client(initial(client.mechanism(), client.first()), out);
        CHECK(out.to_client.empty());  // the secret is not there yet
        CHECK(out.to_server.empty());
        login.on_secret(pencil().secret, out);
        return std::get<std::string>(client.on_challenge(data(out.to_client)));
    }
};

}  // namespace

TEST_CASE("Login takes channel binding from the offer for a client in the clear", "[proxy]") {
    Login login(options(false, true));
    Output out;
    login.on_server(authentication(10, both), out);
    CHECK(out.to_client == authentication(10, plain_only));
    CHECK_FALSE(login.take_secret_request());
    out = {};
    login.on_client(initial("SCRAM-SHA-256", "n,,n=,r=x"), out);
    CHECK(out.to_server == initial("SCRAM-SHA-256", "n,,n=,r=x"));
    login.on_server(authentication(11, "r=x") + authentication(12, "v=x") + ok + "S rest", out);
    CHECK(out.to_client == authentication(11, "r=x") + authentication(12, "v=x"));
    REQUIRE(login.done());
    CHECK(login.take_server_rest() == ok + "S rest");
    CHECK_FALSE(out.close);
}

TEST_CASE("Login relays every other method byte for byte, however it is cut", "[proxy]") {
    const std::string notice = "N\0\0\0\x05\0"s;
    const std::string from_server = notice + authentication(5, "salt") + ok + "Z";
    const std::string from_client = response("md5...\0"s);
    for (const bool encrypted : {false, true}) {
        Login login(options(encrypted, true));
        Output out;
        for (const char byte : from_client) {
            login.on_client({&byte, 1}, out);
        }
        for (const char byte : from_server) {
            if (!login.done()) {
                login.on_server({&byte, 1}, out);
            }
        }
        CHECK(out.to_server == from_client);
        CHECK(out.to_client == notice + authentication(5, "salt"));
        CHECK(login.done());
        CHECK(login.take_server_rest() == ok);
    }
}

TEST_CASE("Login leaves an ErrorResponse and what is no message to the Session", "[proxy]") {
    for (const std::string& bytes :
         {fatal("28000", "no"), "E\xff\xff\xff\xff"s, "R\x7f\xff\xff\xff"s}) {
        Login login(options(true, true));
        Output out;
        login.on_server(bytes, out);
        CHECK(login.done());
        CHECK(login.take_server_rest() == bytes);
        CHECK((out.to_client + out.to_server).empty());
        CHECK_FALSE(out.close);
    }
}

TEST_CASE("Login ends SCRAM on both sides, and says so only when the server agrees", "[proxy]") {
    for (const bool bound : {false, true}) {
        LoginOptions given = options(true, true);
        if (bound) {
            given.client_binding = "veer's certificate";
            given.server_binding = "the server's certificate";
        }
        Dialogue talk(given, pencil(), given.client_binding);
        const std::string proof = talk.prove(both);
        talk.login.on_client(response(proof), talk.out);
        CHECK(talk.out.to_client.empty());

        const std::string sent = talk.take(talk.out.to_server);
        const std::string mechanism = bound ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
        CHECK(sent.substr(5, mechanism.size() + 1) == mechanism + '\0');
        const std::string first = sent.substr(5 + mechanism.size() + 1 + 4);
        const auto challenge =
            std::get<std::string>(talk.server.on_first(mechanism, first, pencil().secret, false));
        talk.login.on_server(authentication(11, challenge), talk.out);
        const std::string final_message = talk.take(talk.out.to_server).substr(5);
        const auto verdict = std::get<std::string>(talk.server.on_final(final_message));
        talk.login.on_server(authentication(12, verdict), talk.out);
        CHECK(talk.out.to_client.empty());
        talk.login.on_server(ok + "S rest", talk.out);
        CHECK_FALSE(talk.client.on_final(talk.data(talk.out.to_client)).has_value());
        REQUIRE(talk.login.done());
        CHECK(talk.login.take_server_rest() == ok + "S rest");
        CHECK_FALSE(talk.out.close);
    }
}

TEST_CASE(
    "Login refuses a wrong password as Postgres does, without troubling the server", "[proxy]"
) {
    const auth::Derived wrong = auth::derive("pen", "salty salt", 4096);
    Dialogue talk(options(true, true), wrong);
    talk.login.on_client(response(talk.prove(both)), talk.out);
    CHECK(talk.out.to_client == fatal("28P01", "password authentication failed for user \"me\""));
    CHECK(talk.out.close);
    CHECK(talk.out.to_server.empty());
}

TEST_CASE("Login treats a user that nobody knows like a wrong password", "[proxy]") {
    Login login(options(true, true));
    Output out;
    login.on_server(authentication(10, plain_only), out);
    CHECK(out.to_client == authentication(10, plain_only));
    out = {};
    login.on_secret(std::nullopt, out);
    login.on_client(initial("SCRAM-SHA-256", "y,,n=,r=client"), out);
    const std::string challenge = out.to_client.substr(9);
    const std::string salt = auth::base64(auth::make_mock_secret("mock", "me").salt);
    CHECK(challenge == "r=clientveer-to-client,s=" + salt + ",i=4096");
    out = {};
    const auth::Derived guessed =
        auth::derive("pencil", auth::make_mock_secret("mock", "me").salt, 4096);
    auth::ScramClient client(
        {.channel_binding = {}, .nonce = "client"}, guessed.secret, guessed.client_key
    );
    client.first();
    std::string proof = std::get<std::string>(client.on_challenge(challenge));
    proof.replace(0, 6, "c=eSws");
    login.on_client(response(proof), out);
    CHECK(out.to_client == fatal("28P01", "password authentication failed for user \"me\""));
    CHECK(out.close);
}

TEST_CASE("Login notices that the stored secret is not the server's", "[proxy]") {
    Dialogue talk(options(true, true));
    talk.login.on_client(response(talk.prove(plain_only)), talk.out);
    talk.login.on_server(authentication(11, "r=veer-to-serverx,s=b3RoZXI=,i=4096"), talk.out);
    CHECK(talk.login.secret_is_stale());
    CHECK(talk.out.to_client == fatal("28P01", "password authentication failed for user \"me\""));
    CHECK(talk.out.close);
}

TEST_CASE("Login trusts no server that skips its proof or gets it wrong", "[proxy]") {
    const std::string challenge = "r=veer-to-serverx,s=" + auth::base64("salty salt") + ",i=4096";
    for (const auto& answers : std::vector<std::vector<std::string>>{
             {ok},
             {authentication(12, "v=AAAA")},
             {authentication(11, "nonsense")},
             {authentication(11, challenge), ok},
             {authentication(11, challenge), authentication(12, "v=AAAA")},
             {authentication(11, challenge), authentication(10, both)},
             {"R\0\0\0\x04"s}}) {
        Dialogue talk(options(true, true));
        talk.login.on_client(response(talk.prove(both)), talk.out);
        talk.take(talk.out.to_client);
        for (const std::string& answer : answers) {
            talk.login.on_server(answer, talk.out);
        }
        CHECK(talk.out.close);
        CHECK(talk.out.to_client.starts_with('E'));
        CHECK(talk.login.done());
        CHECK(talk.login.take_server_rest().empty());
    }
}

TEST_CASE("Login relays the server's own refusal of a client that veer has let in", "[proxy]") {
    Dialogue talk(options(true, true));
    talk.login.on_client(response(talk.prove(both)), talk.out);
    talk.take(talk.out.to_client);
    const std::string refusal = fatal("28000", "role \"me\" is not permitted to log in");
    talk.login.on_server(refusal, talk.out);
    CHECK(talk.login.done());
    CHECK(talk.login.take_server_rest() == refusal);
    CHECK_FALSE(talk.out.close);
}

TEST_CASE("Login without secrets tells a client that binds what would help", "[proxy]") {
    for (const std::string flag : {"y", "n"}) {
        Login login(options(true, false));
        Output out;
        login.on_server(authentication(10, both), out);
        CHECK(out.to_client == authentication(10, plain_only));
        CHECK_FALSE(login.take_secret_request());
        out = {};
        const std::string message = initial("SCRAM-SHA-256", flag + ",,n=,r=x");
        login.on_client(message, out);
        CHECK(out.close == (flag == "y"));
        CHECK(out.to_server == (flag == "y" ? "" : message));
    }
}

TEST_CASE("Login bounds and checks what a client sends while it is being asked", "[proxy]") {
    const std::string query = "Q\0\0\0\x05\0"s;
    for (const std::string& bytes :
         {query, "p\0\1\0\4"s, "p\0\0\0\3"s, "p\xff\xff\xff\xff"s, response("no mechanism")}) {
        Login login(options(true, true));
        Output out;
        login.on_server(authentication(10, both), out);
        login.on_secret(pencil().secret, out);
        out = {};
        login.on_client(bytes, out);
        CHECK(out.close);
        CHECK(out.to_server.empty());
    }
    Login early(options(true, true));
    Output out;
    early.on_client(query, out);  // a client that expects to be trusted
    early.on_client("and more", out);
    CHECK(out.to_server == query + "and more");
}

TEST_CASE("Login says so where the secret cannot be looked up", "[proxy]") {
    Login login(options(true, true));
    Output out;
    login.on_server(authentication(10, both), out);
    out = {};
    login.on_secret_unavailable(out);
    CHECK(
        out.to_client == fatal("58000", "the secret of user \"me\" cannot be looked up at present")
    );
    CHECK(out.close);
}

}  // namespace veer::proxy::session
