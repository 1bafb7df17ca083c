#include "proxy/admin/access.hpp"

#include "proxy/admin/console_login.hpp"
#include "proxy/auth/scram_client.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/scram_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>

using namespace veer::proxy;
using namespace veer::proxy::admin;

TEST_CASE("who has to prove what") {
    Access open;
    CHECK(entry_of(open, {.local = true, .owner = true}) == Entry::owner);
    CHECK(entry_of(open, {.local = true}) == Entry::reader);
    CHECK(entry_of(open, {.loopback = true}) == Entry::reader);
    CHECK(entry_of(open, {}) == Entry::password);
    Access listed;
    listed.users["alice"] = Role::owner;
    CHECK(entry_of(listed, {.local = true, .owner = true}) == Entry::owner);
    CHECK(entry_of(listed, {.local = true}) == Entry::password);
    CHECK(entry_of(listed, {.loopback = true}) == Entry::password);
    CHECK(entry_of(listed, {}) == Entry::password);
}

TEST_CASE("users need secrets") {
    veer::config::Admin admin;
    admin.users = "alice";
    CHECK(
        load_access(admin, "").error().find("no SCRAM secret for user alice") != std::string::npos
    );
    admin.file = "/nowhere/at/all";
    CHECK(load_access(admin, "").error().find("cannot be read") != std::string::npos);
    CHECK(load_access({}, "").has_value());
}

namespace {

constexpr const char* salt = "0123456789abcdef";

std::shared_ptr<const Access> access_of_alice() {
    auto access = std::make_shared<Access>();
    access->users["alice"] = Role::reader;
    access->secrets["alice"] = auth::derive("word", salt, 4096).secret;
    access->secrets["bob"] = auth::derive("word", salt, 4096).secret;  // has one, but is not listed
    access->mock_secret = "nobody knows";
    return access;
}

/// What the login answers to a client with this password; its SQLSTATE where it refuses.
struct Attempt {
    std::optional<Role> role;
    std::string sqlstate;
    std::string rest;
};

Attempt log_in(const std::string& user, const std::string& password) {
    ConsoleLogin login(
        {.user = user, .access = access_of_alice(), .channel_binding = "", .nonce = "server"}
    );
    std::string out;
    login.begin(out);
    const auto derived = auth::derive(password, salt, 4096);
    auth::ScramClient client(
        {.channel_binding = "", .nonce = "client", .user = user}, derived.secret, derived.client_key
    );
    const std::string first = client.first();
    std::string bytes;
    wire::MessageWriter(bytes, 'p').text(client.mechanism()).field(first);
    out.clear();
    login.on_client(bytes, out);
    constexpr std::size_t header = 9;  // type, length, code
    auto answer = client.on_challenge(out.size() > header ? out.substr(header) : "");
    if (!std::holds_alternative<std::string>(answer)) {
        // The mock secret has another salt: no proof can be made, so send any.
        answer = "c=biws,r=clientserver,p=" + auth::base64(std::string(32, 'x'));
    }
    bytes.clear();
    wire::MessageWriter(bytes, 'p').bytes(std::get<std::string>(answer));
    bytes += "more";
    out.clear();
    login.on_client(bytes, out);
    Attempt attempt{.role = login.role(), .sqlstate = "", .rest = login.take_rest()};
    if (login.over()) {
        attempt.sqlstate = wire::decode_diagnostics(std::string_view(out).substr(5)).sqlstate;
    } else {
        CHECK_FALSE(client.on_final(std::string_view(out).substr(header)).has_value());
    }
    return attempt;
}

}  // namespace

TEST_CASE("the right password gives the role, and what came behind it is kept") {
    const Attempt attempt = log_in("alice", "word");
    CHECK(attempt.role == Role::reader);
    CHECK(attempt.rest == "more");
}

TEST_CASE("a wrong password, an unknown user and one who is not listed look the same") {
    for (const auto& [user, word] :
         {std::pair("alice", "wrong"), std::pair("nobody", "word"), std::pair("bob", "word")}) {
        const Attempt attempt = log_in(user, word);
        CHECK_FALSE(attempt.role.has_value());
        CHECK(attempt.sqlstate == "28P01");
    }
}

TEST_CASE("what is no answer to SCRAM ends the login") {
    ConsoleLogin login(
        {.user = "alice", .access = access_of_alice(), .channel_binding = "", .nonce = "server"}
    );
    std::string out;
    wire::write_sync(out);
    const std::string sync = std::exchange(out, "");
    login.on_client(sync, out);
    CHECK(login.over());
    CHECK(wire::decode_diagnostics(std::string_view(out).substr(5)).sqlstate == "08P01");
}
