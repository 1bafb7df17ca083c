#include "proxy/session/login_watch.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::proxy::session {

namespace {

std::string message(char type, const std::string& payload) {
    const auto length = static_cast<std::uint32_t>(payload.size() + 4);
    std::string bytes(1, type);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        bytes += static_cast<char>((length >> shift) & 0xFFU);
    }
    return bytes + payload;
}

std::string authentication(char code, const std::string& rest = {}) {
    return message('R', std::string{0, 0, 0, code} + rest);
}

}  // namespace

TEST_CASE("a login is over when the server lets the client in", "[proxy]") {
    const std::string dialogue = message('N', "notice") + authentication(5, "salt") +
                                 authentication(0) + message('S', "a parameter");
    for (std::size_t piece = 1; piece <= dialogue.size(); ++piece) {
        LoginWatch login;
        for (std::size_t at = 0; at < dialogue.size(); at += piece) {
            login.on_server(std::string_view(dialogue).substr(at, piece));
        }
        CHECK(login.over());
    }
    LoginWatch asked;
    asked.on_server(authentication(10, "SCRAM-SHA-256"));
    CHECK_FALSE(asked.over());
}

TEST_CASE("an answer to the server is at most as long as Postgres would take", "[proxy]") {
    for (const std::size_t bytes : {std::size_t{65'531}, std::size_t{65'532}}) {
        LoginWatch login;
        login.on_server(authentication(3));
        CHECK(login.on_client(message('p', std::string(bytes, 'x'))) == (bytes == 65'531));
    }
}

TEST_CASE("the length is judged before the answer itself has come", "[proxy]") {
    LoginWatch login;
    CHECK(login.on_client("p\x7f"));
    CHECK(login.on_client(std::string_view("\xff\xff", 2)));
    CHECK_FALSE(login.on_client("\xff"));
}

TEST_CASE("a statement that comes before the client is let in is not judged", "[proxy]") {
    LoginWatch login;
    CHECK(login.on_client(message('Q', std::string(100'000, 'x'))));
    CHECK(login.on_client(message('p', std::string(100'000, 'x'))));
}

TEST_CASE("a server whose framing is lost has no login to bound", "[proxy]") {
    LoginWatch login;
    login.on_server(std::string_view("R\xff\xff\xff\xff", 5));
    CHECK(login.over());
}

}  // namespace veer::proxy::session
