#include "config/diff.hpp"
#include "config/parse.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::config;

namespace {

std::string problem(std::string_view text) {
    const Result<Config> result = parse(text, "veer.toml");
    return result.has_value() ? "none" : to_string(result.error());
}

constexpr std::string_view everything = R"(
[defaults]
sticky_by = "tag:tenant"
[cutover]
steps = [0.5, 10, 100]
step_min = "1m"
automatic = true
gated = false
evidence_age_max = "1h"
hint_roles = ["staff", "admin"]
[gates]
recall_min = 0.9
compared_min = 7
[guards]
recall_floor = 0.8
lag_max = "5s"
wal_keep_max = "1GiB"
[[route]]
column = "public.documents.embedding"
operator = "<=>"
[[rule]]
id = 20
route = "public.documents.embedding <=>"
role = "r"
application = "a"
database = "d"
operator = "<=>"
client = "10.1.0.0/16"
shape = "0123456789abcdef"
tag = "app=web"
k_min = 1
k_max = 50
filtered = true
max_percent = 5
sample = 0.5
comment = "c"
[[rule]]
id = 10
active = false
pin = "postgres"
[[rule]]
id = 30
allow = "veer"
)";

}  // namespace

TEST_CASE("Everything about cutover is read, and written so that it reads back", "[config]") {
    const Result<Config> result = parse(everything, "veer.toml");
    REQUIRE(result.has_value());
    CHECK(result->cutover.steps == std::vector<double>{0.5, 10, 100});
    CHECK(result->cutover.hint_roles == std::vector<std::string>{"staff", "admin"});
    CHECK(result->cutover.automatic);
    CHECK_FALSE(result->cutover.gated);
    CHECK(result->gates.recall_min == 0.9);
    CHECK(result->guards.lag_max == std::chrono::seconds(5));
    CHECK(result->routes.at(0).sticky_by == "tag:tenant");
    REQUIRE(result->rules.size() == 3);
    CHECK(result->rules[0].max_percent == 5);
    CHECK(result->rules[0].filtered == true);
    CHECK_FALSE(result->rules[1].filtered);
    CHECK(result->rules[1].pin_postgres);
    CHECK_FALSE(result->rules[1].active);
    CHECK(result->rules[2].allow_veer);
    const Result<Config> again = parse(to_text(*result), "veer.toml");
    REQUIRE(again.has_value());
    CHECK(*again == *result);
}

TEST_CASE("Steps rise to 100, floors lie below targets, and rules say something", "[config]") {
    CHECK(problem("[cutover]\nsteps = [1, 5, 25]").find("steps must be") != std::string::npos);
    CHECK(problem("[cutover]\nsteps = [5, 1, 100]").find("steps must be") != std::string::npos);
    CHECK(problem("[cutover]\nsteps = [0, 100]").find("steps must be") != std::string::npos);
    CHECK(problem("[cutover]\nsteps = []").find("steps must be") != std::string::npos);
    CHECK(problem("[cutover]\nsteps = ['a']").find("not [\"a\"]") != std::string::npos);
    CHECK(
        problem("[guards]\nrecall_floor = 0.99") ==
        "veer.toml:1: [guards] recall_floor must be below [gates] recall_min"
    );
    CHECK(problem("[defaults]\nsticky_by = 'tenant'").find("one of auto") != std::string::npos);
    CHECK(problem("[[rule]]\nid = 1").find("needs pin, allow") != std::string::npos);
    CHECK(problem("[[rule]]\npin = 'postgres'").find("an id of its own") != std::string::npos);
    CHECK(
        problem("[[rule]]\nid = 1\npin = 'postgres'\n[[rule]]\nid = 1\npin = 'postgres'")
            .find("veer.toml:4: ") == 0
    );
    CHECK(
        problem("[[rule]]\nid = 1\npin = 'veer'").find("must be \"postgres\"") != std::string::npos
    );
    CHECK(problem("[[rule]]\nid = 1\nmax_percent = 101").find("0 to 100") != std::string::npos);
    CHECK(
        problem("[[rule]]\nid = 1\nrol = 'x'").find("did you mean \"role\"") != std::string::npos
    );
    CHECK(problem("[rule]\nid = 1").find("[[rule]]") != std::string::npos);
}

TEST_CASE("A changed rule is told as a whole", "[config]") {
    Config before;
    Config after;
    Rule rule;
    rule.id = 10;
    rule.role = "billing";
    rule.pin_postgres = true;
    after.rules.push_back(rule);
    const std::string said = "id = 10, active = true, role = \"billing\", pin = \"postgres\"";
    CHECK(diff(before, after) == std::vector<Change>{{"rule 10", "", said, false}});
    CHECK(diff(after, before) == std::vector<Change>{{"rule 10", said, "", false}});
    CHECK(diff(after, after).empty());
}
