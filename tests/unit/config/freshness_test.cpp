#include "config/freshness.hpp"

#include "config/parse.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::config;
using Kind = Freshness::Kind;
using std::chrono::milliseconds;

TEST_CASE("A freshness is read as it is written", "[config]") {
    CHECK(parse_freshness("causal") == Freshness{});
    CHECK(parse_freshness("eventual") == Freshness{.kind = Kind::eventual});
    const Freshness half{.kind = Kind::bounded, .bound = milliseconds(500)};
    CHECK(parse_freshness("bounded 500ms") == half);
    for (const char* const text : {"causal", "eventual", "bounded 500ms", "bounded 2s"}) {
        CHECK(to_string(parse_freshness(text).value()) == text);
    }
    for (const char* const text :
         {"", "Causal", "bounded", "bounded ", "bounded500ms", "bounded 99ms", "bounded 25h"}) {
        CHECK_FALSE(parse_freshness(text).has_value());
    }
}

TEST_CASE("A route has the defaults' freshness, or its own", "[config]") {
    const auto config = parse(
        "[defaults]\nfreshness = 'eventual'\n"
        "[[route]]\ncolumn = 'a.b.c'\noperator = '<->'\n"
        "[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\nfreshness = 'bounded 1s'\n",
        "veer.toml"
    );
    REQUIRE(config.has_value());
    CHECK(config->routes.at(0).freshness.kind == Kind::eventual);
    CHECK(config->routes.at(1).freshness.bound == milliseconds(1'000));
    CHECK(Config{}.defaults.freshness.kind == Kind::causal);
    const auto wrong = parse("[defaults]\nfreshness = 'bounded 1ms'\n", "veer.toml");
    REQUIRE(wrong.has_error());
    CHECK(wrong.error().message.find("from 100ms to 24h") != std::string::npos);
}
