#include "proxy/auth/user_list.hpp"

#include "tests/unit/proxy/scram_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

namespace veer::proxy::auth {

TEST_CASE("UserList reads PgBouncer's file and keeps the users with SCRAM secrets", "[proxy]") {
    const ScramSecret secret = derive("pencil", "salt", 4096).secret;
    const auto list = parse_user_list(
        "; users\n\n\"alice\" \"" + to_text(secret) + "\" and more\r\n" + "  \"o\"\"hara\"\t\"" +
        to_text(secret) + "\"\n" +
        "\"bob\" \"md51e52d9a8b4b6a0d0a2ef04c1d0d2b0a3\"\n\"carol\" \"plain\"\n\"dave\" \"\""
    );
    REQUIRE(list.has_value());
    CHECK(list->secrets.size() == 2);
    CHECK(list->secrets.at("alice") == secret);
    CHECK(list->secrets.at("o\"hara") == secret);
    CHECK(list->unusable == 3);
}

TEST_CASE("UserList names the line that is none", "[proxy]") {
    for (const std::string wrong :
         {"alice \"x\"", "\"alice\"", "\"alice\" \"x", "\"\" \"x\"", "\"alice"}) {
        CAPTURE(wrong);
        const auto list = parse_user_list("\"a\" \"b\"\n" + wrong + "\n\"c\" \"d\"\n");
        REQUIRE(list.has_error());
        CHECK(list.error().line == 2);
    }
}

TEST_CASE("ScramSecret is read from what pg_authid keeps, or not at all", "[proxy]") {
    const ScramSecret secret = derive("pencil", "salt", 10'000).secret;
    CHECK(parse_scram_secret(to_text(secret)) == secret);
    const std::string keys = to_text(secret).substr(to_text(secret).rfind('$') + 1);
    const std::vector<std::string> none{
        "",
        "SCRAM-SHA-256",
        "md5e52d9a8b4b6a0d0a2ef04c1d0d2b0a3e",
        "SCRAM-SHA-1$4096:c2FsdA==$" + keys,
        "SCRAM-SHA-256$0:c2FsdA==$" + keys,
        "SCRAM-SHA-256$x:c2FsdA==$" + keys,
        "SCRAM-SHA-256$4096:$" + keys,
        "SCRAM-SHA-256$4096:c2FsdA==$QQ==:QQ==",
        to_text(secret) + "A",
        to_text(secret).substr(1)};
    for (const std::string& wrong : none) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_scram_secret(wrong).has_value());
    }
}

}  // namespace veer::proxy::auth
