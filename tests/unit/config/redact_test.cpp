#include "config/keys.hpp"

#include <catch2/catch_test_macros.hpp>

using veer::config::redact_dsn;

TEST_CASE("A keyword connection string loses its passwords only", "[config]") {
    CHECK(redact_dsn("host=h password=secret user=u") == "host=h password=*** user=u");
    CHECK(redact_dsn("password = 'my \\' secret' user=u") == "password = *** user=u");
    CHECK(redact_dsn("host=h sslpassword=x") == "host=h sslpassword=***");
    CHECK(redact_dsn(R"(password=a\ b user=u)") == "password=*** user=u");
    CHECK(redact_dsn("host=h port=5432 dbname=app") == "host=h port=5432 dbname=app");
}

TEST_CASE("A URI loses its passwords only", "[config]") {
    CHECK(redact_dsn("postgres://u:s3cret@h:5432/db") == "postgres://u:***@h:5432/db");
    CHECK(redact_dsn("postgresql://u:a@b@h/db?x=1") == "postgresql://u:***@h/db?x=1");
    CHECK(
        redact_dsn("postgres://h/db?user=u&password=p&sslmode=require") ==
        "postgres://h/db?user=u&password=***&sslmode=require"
    );
    CHECK(redact_dsn("postgres://u@h:5432/db") == "postgres://u@h:5432/db");
}

TEST_CASE("A connection string cut short shows no password either", "[config]") {
    CHECK(redact_dsn("password='open") == "password=***");
    CHECK(redact_dsn("password=").find("=***") != std::string::npos);
    CHECK(redact_dsn("").empty());
}
