#include "proxy/cli/drill_text.hpp"
#include "proxy/cli/status_text.hpp"
#include "proxy/cli/text_output.hpp"
#include "proxy/wire/backend.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::proxy;
using namespace veer::proxy::cli;

namespace {

constexpr std::uint32_t text_oid = 25;
constexpr std::uint32_t int8_oid = 20;

std::string server_says(const std::vector<std::string>& row) {
    std::string bytes;
    wire::write_row_description(
        bytes, {{.name = "route", .type_oid = text_oid}, {.name = "veer", .type_oid = int8_oid}}
    );
    wire::write_data_row(bytes, row);
    wire::write_command_complete(bytes, "SHOW");
    wire::write_ready_for_query(bytes, 'I');
    return bytes;
}

}  // namespace

TEST_CASE("an answer is read once it is whole") {
    const std::string bytes = server_says({"documents", "7"});
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        CHECK_FALSE(read_answer(bytes.substr(0, i)).has_value());
    }
    const auto answer = read_answer(bytes);
    REQUIRE((answer && answer->has_value()));
    CHECK(to_table(**answer) == "route      veer\ndocuments     7\n");
    CHECK(
        to_json(**answer, {"go on"}) ==
        R"({"ok":true,"reason":"","next_steps":["go on"],"rows":[{"route":"documents","veer":7}]})"
        "\n"
    );
}

TEST_CASE("an error, and the end") {
    std::string bytes;
    wire::write_fatal(bytes, "28P01", "no");
    const auto answer = read_answer(bytes);
    REQUIRE((answer && answer->has_error()));
    CHECK(answer->error().sqlstate == "28P01");
    CHECK(answer->error().unreachable);
    CHECK(
        to_json(answer->error()) ==
        R"({"ok":false,"reason":"no","sqlstate":"28P01","next_steps":[],"rows":[]})"
        "\n"
    );
}

TEST_CASE("no veer to ask") {
    const auto answer = ask("/nowhere/at/all", "SHOW VERSION");
    REQUIRE(answer.has_error());
    CHECK(answer.error().unreachable);
}

TEST_CASE("the status tree") {
    Look look;
    look.version = {
        .columns = {{"version", 25}, {"uptime_s", 20}, {"panic", 16}},
        .rows = {{"1.2", "90000", "t"}}};
    look.routes = {
        .columns =
            {{"route", 25},
             {"state", 25},
             {"desired_pct", 701},
             {"effective_pct", 701},
             {"why", 25},
             {"veer", 20},
             {"postgres", 20}},
        .rows = {{"docs <=>", "live", "25", "0", "panic", "1", "3"}}};
    look.indexes = {
        .columns = {{"rows", 20}, {"dim", 20}, {"estimated_bytes", 20}},
        .rows = {{"50", "3", "2048"}}};
    look.replication = {
        .columns = {{"state", 25}, {"applied_lsn", 25}}, .rows = {{"streaming", "0/1"}}};
    const std::string text = status_text(look, {}, false);
    CHECK(text.starts_with("veer 1.2   up 1d 1h   PANIC"));
    CHECK(text.find("docs <=>   live   25 %   effective 0 %") != std::string::npos);
    CHECK(
        text.find("#######.....................  veer 25 %  postgres 75 %  4 searches\n") !=
        std::string::npos
    );
    CHECK(text.find("about 2 KiB") != std::string::npos);
    CHECK(status_text(look, look, true).find("4 searches  0/s") != std::string::npos);
    CHECK(text.find("cutover") == std::string::npos);
    const auto add = [&look](const char* name, std::uint32_t oid, const char* value) {
        look.routes.columns.push_back({name, oid});
        look.routes.rows[0].push_back(
            value == nullptr ? std::nullopt : std::optional<std::string>(value)
        );
    };
    add("traffic", 25, "canary");
    add("allowed_pct", 701, "5");
    add("version", 20, "42");
    add("trial_until", 1184, "2026-05-04 14:22:07+00");
    add("recall", 701, "0.99412");
    add("recall_lo", 701, "0.9917");
    add("next_step", 701, "50");
    add("next_step_at", 1184, nullptr);
    add("obstacle", 25, nullptr);
    const std::string more = status_text(look, {}, false);
    CHECK(
        more.find("cutover  canary, allowed 5 %, version 42, a trial until 2026-05-04 14:22:07+00: "
                  "veer confirm\n") != std::string::npos
    );
    CHECK(more.find("recall   0.9941, proven 0.9917 at least\n") != std::string::npos);
    CHECK(more.find("next     READY for 50 %: veer promote\n") != std::string::npos);
    look.routes.rows[0].back() = "about 310 more compared searches for recall";
    CHECK(
        status_text(look, {}, false).find("NOT YET 50 %: about 310 more compared searches") !=
        std::string::npos
    );
}

TEST_CASE("a drill is told to people, and as an exit code") {
    const auto drilled = [](const std::string& outcome, const std::optional<std::string>& guard) {
        Answer answer;
        for (const char* const column :
             {"route",
              "fault",
              "outcome",
              "guard",
              "answers",
              "rolled_back_ms",
              "confirmed_ms",
              "answers_take_ms",
              "diverted",
              "late",
              "client_errors"}) {
            answer.columns.push_back({.name = column, .type_oid = text_oid});
        }
        answer.rows = {
            {"documents",
             "neighbours",
             outcome,
             guard,
             "8",
             guard ? std::optional("0.2") : std::nullopt,
             "3.5",
             "640",
             "12",
             "1",
             "0"}};
        return answer;
    };
    const Answer well = drilled("rolled_back", "recall_floor");
    CHECK(
        drill_text(well) ==
        "documents: rehearsed, the index finds half of the neighbours\n"
        "  guard recall_floor acted after 8 compared answers, which this route has in 640 ms\n"
        "  the index' share was 0 after 0.2 ms\n"
        "  Postgres answered everything after 3.5 ms: 12 sent there, 1 on their way from the "
        "index, "
        "0 errors at clients\n"
        "  the share is what it was before\n"
    );
    CHECK(drill_exit(well) == 0);
    CHECK(drill_exit(drilled("no_traffic", "recall_floor")) == 2);
    CHECK(drill_exit(drilled("still_index", "recall_floor")) == 1);
    const Answer missed = drilled("not_noticed", std::nullopt);
    CHECK(drill_exit(missed) == 1);
    CHECK(drill_text(missed).find("no guard acted") != std::string::npos);
    CHECK(drill_text({}).empty());
}
