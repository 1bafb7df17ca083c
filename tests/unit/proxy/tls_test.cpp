#include "proxy/net/tls.hpp"

#include "tests/support/certificates.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <filesystem>
#include <string>
#include <utility>

namespace veer::proxy::net {

using namespace std::string_literals;

namespace {

using Status = Tls::Status;

tests::Certificates& certificates() {
    static tests::Certificates made;
    return made;
}

tests::Certificates::Pair& server_pair() {
    static tests::Certificates::Pair made = certificates().make(
        "veer.example", {"DNS:veer.example", "DNS:*.db.example", "IP:127.0.0.1"}
    );
    return made;
}

std::shared_ptr<const TlsContext> server_context(const std::string& authorities = {}) {
    auto made = TlsContext::for_clients(
        {.certificate = server_pair().certificate,
         .key = server_pair().key,
         .authorities = authorities}
    );
    REQUIRE(made.has_value());
    return *made;
}

std::shared_ptr<const TlsContext> client_context(const ClientTlsFiles& files) {
    auto made = TlsContext::for_upstream(files);
    REQUIRE(made.has_value());
    return *made;
}

std::shared_ptr<const TlsContext> trusting() {
    return client_context({.authorities = certificates().authority()});
}

/// Carries ciphertext from one side to the other, `step` bytes at a time.
void carry(Tls& from, Tls& to, std::size_t step) {
    std::string bytes;
    from.take(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        to.feed(std::string_view(bytes).substr(at, step));
    }
}

/// Lets both sides talk until neither has anything to say.
void shake(Tls& client, Tls& server, std::size_t step = 100'000) {
    client.shake_hands();
    for (int flight = 0; flight < 6; ++flight) {
        carry(client, server, step);
        carry(server, client, step);
    }
}

std::string read_all(Tls& from) {
    std::string text;
    std::array<char, 1000> part{};
    for (std::size_t count = from.read(part.data(), part.size()); count > 0;
         count = from.read(part.data(), part.size())) {
        text.append(part.data(), count);
    }
    return text;
}

struct Both {
    Tls client = Tls::connect(trusting(), "veer.example");
    Tls server = Tls::accept(server_context());

    Both() {
        shake(client, server);
        REQUIRE(client.status() == Status::open);
        REQUIRE(server.status() == Status::open);
    }
};

}  // namespace

TEST_CASE("Tls carries bytes both ways, whatever pieces they come in", "[proxy]") {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
        Tls client = Tls::connect(trusting(), "veer.example");
        Tls server = Tls::accept(server_context());
        shake(client, server, step);
        REQUIRE(client.status() == Status::open);
        REQUIRE(server.status() == Status::open);
        CHECK(client.version() == "TLSv1.3");
        const std::string long_text(50'000, 'x');
        client.write("hello");
        server.write(long_text);
        std::string got;
        std::string bytes;
        server.take(bytes);
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            client.feed(std::string_view(bytes).substr(at, step));
            got += read_all(client);
        }
        CHECK(got == long_text);
        carry(client, server, step);
        CHECK(read_all(server) == "hello");
    }
}

TEST_CASE("Tls sends no record of more than 8 KiB", "[proxy]") {
    Both both;
    both.server.write(std::string(100'000, 'x'));
    std::string bytes;
    both.server.take(bytes);
    std::size_t records = 0;
    for (std::size_t at = 0; at < bytes.size(); ++records) {
        REQUIRE(bytes.size() - at >= 5);
        const std::size_t length = static_cast<std::uint8_t>(bytes[at + 3]) * 256U +
                                   static_cast<std::uint8_t>(bytes[at + 4]);
        CHECK(length <= 8192 + 256);
        at += 5 + length;
    }
    CHECK(records == 13);
}

TEST_CASE(
    "Tls gives everything that is decrypted before it says that there is no more", "[proxy]"
) {
    Both both;
    for (int record = 0; record < 5; ++record) {
        both.client.write("record " + std::to_string(record) + ' ');
    }
    carry(both.client, both.server, 100'000);
    CHECK(read_all(both.server) == "record 0 record 1 record 2 record 3 record 4 ");
}

TEST_CASE("Tls agrees on the protocol postgresql", "[proxy]") {
    const Both both;
    CHECK(both.client.protocol() == "postgresql");
    CHECK(both.server.protocol() == "postgresql");
}

TEST_CASE("Tls tells an orderly end from a broken one", "[proxy]") {
    Both both;
    both.client.write("bye");
    both.client.close();
    carry(both.client, both.server, 100'000);
    CHECK(read_all(both.server) == "bye");
    CHECK(both.server.status() == Status::closed);
    both.server.write("one more");  // the other direction is still open
    carry(both.server, both.client, 100'000);
    CHECK(read_all(both.client) == "one more");

    Both broken;
    broken.server.feed("\x17\x03\x03\x00\x20 this is no record of this connection"s);
    CHECK(read_all(broken.server).empty());
    CHECK(broken.server.status() == Status::failed);
    CHECK_FALSE(broken.server.problem().empty());
}

TEST_CASE("Tls refuses what is not TLS, and says so to the peer", "[proxy]") {
    Tls server = Tls::accept(server_context());
    server.feed("GET / HTTP/1.1\r\n\r\n");
    CHECK(server.status() == Status::failed);
    server.feed("more");
    server.write("nothing");
    CHECK(server.status() == Status::failed);
}

TEST_CASE("Tls keeps a bounded amount of what nobody reads", "[proxy]") {
    Both both;
    for (int i = 0; i < 100 && both.server.status() == Status::open; ++i) {
        both.client.write(std::string(8192, 'x'));
        carry(both.client, both.server, 100'000);
    }
    CHECK(both.server.status() == Status::failed);
}

TEST_CASE("Tls refuses a server whose authority it does not know", "[proxy]") {
    const auto stranger = certificates().make_self_signed("somebody else");
    Tls client = Tls::connect(client_context({.authorities = stranger.certificate}), "");
    Tls server = Tls::accept(server_context());
    shake(client, server);
    CHECK(client.status() == Status::failed);
    CHECK(client.problem().starts_with("certificate verify failed: "));
    CHECK(server.status() == Status::failed);  // it got the alert

    Tls careless = Tls::connect(client_context({}), "");
    Tls again = Tls::accept(server_context());
    shake(careless, again);
    CHECK(careless.status() == Status::open);
}

TEST_CASE("Tls compares host names as libpq does", "[proxy]") {
    const Both both;
    CHECK(both.client.peer_is("veer.example"));
    CHECK(both.client.peer_is("VEER.example"));
    CHECK(both.client.peer_is("one.db.example"));
    CHECK_FALSE(both.client.peer_is("one.two.db.example"));
    CHECK(both.client.peer_is("127.0.0.1"));
    CHECK_FALSE(both.client.peer_is("127.0.0.2"));
    CHECK_FALSE(both.client.peer_is("example"));
    CHECK_FALSE(both.client.peer_is(""));
    CHECK_FALSE(both.server.peer_is("veer.example"));  // the client has shown none
}

TEST_CASE("Tls asks for client certificates where it knows their authority", "[proxy]") {
    const auto mine = certificates().make("alice");
    const auto strange = certificates().make_self_signed("alice");
    const std::string authority = certificates().authority();
    const auto attempt = [&](const ClientTlsFiles& files) {
        Tls client = Tls::connect(client_context(files), "");
        Tls server = Tls::accept(server_context(authority));
        shake(client, server);
        return std::pair(
            server.status(), server.has_peer_certificate() ? server.peer_common_name() : "none"
        );
    };
    CHECK(
        attempt({.certificate = mine.certificate, .key = mine.key}) ==
        std::pair(Status::open, "alice"s)
    );
    CHECK(attempt({}) == std::pair(Status::open, "none"s));
    CHECK(
        attempt({.certificate = strange.certificate, .key = strange.key}).first == Status::failed
    );
}

TEST_CASE("Tls knows the server's certificate by one hash on both sides", "[proxy]") {
    const Both both;
    CHECK(both.client.endpoint_hash().size() == 32);
    CHECK(both.client.endpoint_hash() == both.server.endpoint_hash());

    const auto ed25519 = certificates().make("veer.example", {}, "ed25519");
    const auto context = TlsContext::for_clients(
        {.certificate = ed25519.certificate, .key = ed25519.key, .authorities = {}}
    );
    REQUIRE(context.has_value());
    CHECK((*context)->endpoint_hash().size() == 32);  // signed by the authority, with ECDSA
}

TEST_CASE("TlsContext refuses a private key that others may read", "[proxy]") {
    namespace fs = std::filesystem;
    const auto pair = certificates().make("open");
    const ServerTlsFiles files{.certificate = pair.certificate, .key = pair.key, .authorities = {}};
    fs::permissions(pair.key, fs::perms::group_read, fs::perm_options::add);
    const auto refused = TlsContext::for_clients(files);
    REQUIRE(refused.has_error());
    CHECK(refused.error().message.starts_with(
        "private key file \"" + pair.key.string() + "\" has group or world access"
    ));
    fs::permissions(pair.key, fs::perms::owner_read);
    CHECK(TlsContext::for_clients(files).has_value());
}

TEST_CASE("TlsContext says which file it cannot use", "[proxy]") {
    const auto mine = certificates().make("mine");
    const auto other = certificates().make("other");
    const auto problem = [](const ServerTlsFiles& files) {
        const auto made = TlsContext::for_clients(files);
        return made.has_value() ? "" : made.error().message;
    };
    CHECK(
        problem({.certificate = "/nowhere.crt", .key = mine.key, .authorities = {}}) ==
        "could not load certificate file \"/nowhere.crt\": No such file or directory"
    );
    CHECK(
        problem({.certificate = mine.certificate, .key = "/nowhere.key", .authorities = {}}) ==
        "could not access private key file \"/nowhere.key\": No such file or directory"
    );
    CHECK(
        problem({.certificate = mine.certificate, .key = other.key, .authorities = {}}) ==
        "could not load private key file \"" + other.key.string() + "\": key values mismatch"
    );
    CHECK(problem({.certificate = mine.key, .key = mine.key, .authorities = {}}
    ).starts_with("could not load certificate file"));
    CHECK(problem({.certificate = mine.certificate, .key = mine.key, .authorities = "/nowhere.crt"})
              .starts_with("could not load root certificate file \"/nowhere.crt\""));
}

}  // namespace veer::proxy::net
