#include "config/diff.hpp"

#include "config/parse.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>

using namespace veer::config;

namespace {

Route route(ColumnName column, std::string operator_name, double percent, std::string salt) {
    Route made;
    made.column = std::move(column);
    made.operator_name = std::move(operator_name);
    made.percent = percent;
    made.percent_given = true;
    made.salt = std::move(salt);
    return made;
}

}  // namespace

TEST_CASE("Equal configurations have no difference", "[config]") {
    CHECK(diff(Config{}, Config{}).empty());
    CHECK(Config{} == Config{});
}

TEST_CASE("A changed share applies at once, a changed port needs a restart", "[config]") {
    const Config before;
    Config after;
    after.listen.port = 6000;
    after.defaults.percent = 50;
    const std::vector<Change> expected{
        {"listen.port", "7432", "6000", true}, {"defaults.percent", "0", "50", false}};
    CHECK(diff(before, after) == expected);
}

TEST_CASE("A new password is a change that shows no password", "[config]") {
    Config before;
    Config after;
    before.upstream.dsn = "host=h password=old";
    after.upstream.dsn = "host=h password=new";
    const std::vector<Change> expected{
        {"upstream.dsn", "\"host=h password=***\"", "\"host=h password=***\"", true}};
    CHECK(diff(before, after) == expected);
}

TEST_CASE("Routes are compared by column and operator, not by place", "[config]") {
    const Route one = route({"public", "t", "e"}, "<=>", 10, "");
    const Route two = route({"public", "t", "f"}, "<->", 20, "");
    const Route three = route({"public", "u", "e"}, "<#>", 30, "s");
    Config before;
    before.routes = {one, two};
    Config after;
    after.routes = {three, one};
    after.routes[1].percent = 12.5;
    const std::vector<Change> expected{
        {"route public.t.e <=> percent", "10", "12.5", false},
        {"route public.t.f <->", "percent = 20, salt = \"\"", "", false},
        {"route public.u.e <#>", "", "percent = 30, salt = \"s\"", false}};
    CHECK(diff(before, after) == expected);
}

TEST_CASE("A share that the file gives is another than the same one of [defaults]", "[config]") {
    Config after;
    after.routes = {route({"public", "t", "e"}, "<=>", 0, "")};
    Config before = after;
    before.routes[0].percent_given = false;
    CHECK(
        diff(before, after) == std::vector<Change>{{"route public.t.e <=> percent", "", "0", false}}
    );
    for (const Config& config : {before, after}) {
        const Result<Config> again = parse(to_text(config), "veer.toml");
        REQUIRE(again.has_value());
        CHECK(*again == config);
    }
}

TEST_CASE("The text of a configuration reads back as the same configuration", "[config]") {
    Config config;
    config.listen.address = "0.0.0.0";
    config.defaults.percent = 0.5;
    config.defaults.salt = "a\"b\\c\n";
    config.limits.result_bytes_max = 100'001;
    config.log.level = LogLevel::debug;
    config.compare.rate = 0.25;
    config.routes = {
        route({"public", "Docs", "e"}, "<=>", 25, "x"), route({"s", "t", "a.b"}, "<->", 0, "")};
    config.routes.front().compare_rate = 0.5;
    const std::string text = to_text(config);
    CAPTURE(text);
    const Result<Config> again = parse(text, "veer.toml");
    REQUIRE(again.has_value());
    CHECK(*again == config);
}

TEST_CASE("The text of a configuration shows no password", "[config]") {
    Config config;
    config.upstream.dsn = "host=h user=u password=hunter2";
    CHECK(to_text(config).find("hunter2") == std::string::npos);
    CHECK(to_text(config).find("password=***") != std::string::npos);
}
