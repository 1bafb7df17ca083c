#include "proxy/admin/statement.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::proxy::admin;

namespace {

Result<Command> read(std::string_view text) {
    auto statement = read_statement(text, {});
    if (statement.has_error()) {
        return statement.error();
    }
    const auto* const command = std::get_if<Command>(&statement->what);
    return command == nullptr ? Result<Command>(Failure{.sqlstate = "none", .message = ""})
                              : Result<Command>(*command);
}

Command must(std::string_view text) {
    const auto command = read(text);
    INFO(text);
    REQUIRE(command.has_value());
    return *command;
}

}  // namespace

TEST_CASE("commands") {
    using Verb = Command::Verb;
    CHECK(must("PANIC").verb == Verb::panic);
    CHECK(must("panic reason 'too slow'").reason == "too slow");
    CHECK(must("RESUME").verb == Verb::unpanic);
    CHECK(must("unpanic").verb == Verb::unpanic);
    CHECK(must("reload").verb == Verb::reload);
    CHECK(must("rollback all").verb == Verb::rollback_all);
    CHECK(must("rollback documents") == Command{.verb = Verb::rollback, .route = "documents"});
    CHECK(must("resume documents") == Command{.verb = Verb::resume, .route = "documents"});
    CHECK(must("promote public.documents.embedding to 40").percent == 40);
    CHECK(must("promote 'public.documents.embedding <=>' for '10m'").duration == "10m");
    const Command expected{
        .verb = Verb::set_traffic,
        .route = "public.documents.embedding <=>",
        .percent = 25,
        .version = 41,
        .duration = "10 minutes",
        .reason = "looked at it"};
    CHECK(
        must("ALTER ROUTE 'public.documents.embedding <=>' SET TRAFFIC 25 IF VERSION 41 FOR '10 "
             "minutes' "
             "REASON 'looked at it'") == expected
    );
    CHECK(must("SET ROUTE documents PERCENT 0.5").percent == 0.5);
    CHECK(must("set route documents percent = 100 %").percent == 100);
    CHECK(must("drill") == Command{.verb = Verb::drill});
    CHECK(
        must("DRILL documents FAULT 'slow' REASON 'monthly'") ==
        Command{.verb = Verb::drill, .route = "documents", .reason = "monthly", .fault = "slow"}
    );
    CHECK(must("drill fault 'lag'").fault == "lag");
    CHECK(read("rollback documents fault 'lag'").has_error());
    CHECK(read("drill documents fault lag").has_error());
    CHECK(must("off documents") == Command{.verb = Verb::off, .route = "documents"});
    CHECK(goes_back(Verb::off));
    CHECK(must("reshuffle documents").verb == Verb::reshuffle);
    CHECK(must("promote documents to 5 dry run").dry_run);
    CHECK(must("mismatch 7") == Command{.verb = Verb::mismatch, .mismatch = 7});
    CHECK(must("REBUILD INDEX docs") == Command{.verb = Verb::rebuild, .route = "docs"});
    CHECK(
        must("calibrate 'public.d.e <=>'") ==
        Command{.verb = Verb::calibrate, .route = "public.d.e <=>"}
    );
    CHECK(must("replay mismatch 7") == Command{.verb = Verb::replay, .mismatch = 7});
    CHECK(
        must("REPLAY 7 EF 200") == Command{.verb = Verb::replay, .mismatch = 7, .ef_search = 200}
    );
    CHECK(must("verify") == Command{.verb = Verb::verify});
    CHECK(must("TUNE documents") == Command{.verb = Verb::tune, .route = "documents"});
    CHECK(must("tune documents recall 0.95").recall == 0.95);
    CHECK(read("tune documents recall 1.5").error().sqlstate == "22023");
    CHECK(read("tune documents recall 0").error().sqlstate == "22023");
    CHECK(read("tune").error().sqlstate == "42601");
    CHECK(must("verify rate 500") == Command{.verb = Verb::verify, .rate = 500});
    CHECK(
        must("VERIFY 'public.documents.embedding <=>' RATE 1e4") ==
        Command{.verb = Verb::verify, .route = "public.documents.embedding <=>", .rate = 10'000}
    );
}

TEST_CASE("a search that is asked about is not the console's to understand") {
    using Verb = Command::Verb;
    CHECK(
        must("EXPLAIN ROUTE SELECT a FROM t ORDER BY e <=> '[1]'::vector LIMIT $1") ==
        Command{
            .verb = Verb::explain_route,
            .search = "SELECT a FROM t ORDER BY e <=> '[1]'::vector LIMIT $1"}
    );
    CHECK(must("explain route client '10.1.2.3' select 1").client == "10.1.2.3");
    const Command whose = must("explain route role 'app' application 'x y' select 'a;b' -- c");
    CHECK(whose.role == "app");
    CHECK(whose.application == "x y");
    CHECK(whose.search == "select 'a;b' -- c");
    CHECK(must("explain route role") == Command{.verb = Verb::explain_route, .search = "role"});
    CHECK(
        must("COMPARE /* c */ SELECT 1") ==
        Command{.verb = Verb::compare_search, .search = "/* c */ SELECT 1"}
    );
    CHECK(only_looks(must("explain route x")));
    CHECK_FALSE(only_looks(must("compare x")));
    CHECK(must("reload dry run").dry_run);
}

TEST_CASE("what holds for a while: keys of veer.toml, and classes that are not counted") {
    using Verb = Command::Verb;
    CHECK(
        must("SET compare.load_max = 0.05") ==
        Command{.verb = Verb::set_key, .key = "compare.load_max", .value = "0.05"}
    );
    CHECK(must("set guards.lag_max to '2s' ").value == "'2s'");
    CHECK(must("SET cutover.steps = [1, 50, 100]").value == "[1, 50, 100]");
    CHECK(
        must("reset compare.load_max") ==
        Command{.verb = Verb::reset_key, .key = "compare.load_max"}
    );
    CHECK_FALSE(only_looks(must("SET compare.load_max = 0.05")));
    CHECK(
        must("IGNORE CLASS veer_missed ON '00000000000000ff' UNTIL '72h' REASON 'known'") ==
        Command{
            .verb = Verb::ignore,
            .reason = "known",
            .difference = "veer_missed",
            .fingerprint = "00000000000000ff",
            .until = "72h"}
    );
    CHECK(must("unignore class veer_missed on '00000000000000ff'").verb == Verb::unignore);
    for (const char* const text :
         {"SET compare.load_max",
          "SET compare.load_max =",
          "SET compare. = 5",
          "RESET compare.load_max = 5",
          "IGNORE CLASS veer_missed ON 'ff'",
          "IGNORE CLASS veer_missed ON 'ff' UNTIL '72h'",
          "IGNORE veer_missed",
          "UNIGNORE CLASS veer_missed ON 'ff' REASON 'x'"}) {
        INFO(text);
        CHECK(read(text).error().sqlstate == "42601");
    }
    CHECK(read("SET compare.load_max = 5\nx = 6").error().sqlstate == "22023");
}

TEST_CASE("commands that are not whole, or out of bounds") {
    CHECK(read("promote").error().sqlstate == "42601");
    CHECK(read("verify rate").error().sqlstate == "42601");
    CHECK(read("panic rate 5").error().sqlstate == "42601");
    CHECK(read("set route documents percent").error().sqlstate == "42601");
    CHECK(read("set route documents percent 101").error().sqlstate == "22023");
    CHECK(read("set route documents percent -1").error().sqlstate == "22023");
    CHECK(read("panic now").error().sqlstate == "42601");
    CHECK(read("reload; panic").error().sqlstate == "42601");
    CHECK(read("panic reason too slow").error().sqlstate == "42601");
    CHECK(read("alter route documents set traffic 25 if version x").error().sqlstate == "42601");
    for (const char* const text :
         {"replay",
          "replay mismatch",
          "replay mismatch x",
          "replay mismatch 0",
          "replay 7 ef",
          "panic dry",
          "verify dry run",
          "explain route",
          "explain route role 'app'",
          "compare",
          "drill dry run",
          "promote documents ef 5"}) {
        INFO(text);
        CHECK(read(text).error().sqlstate == "42601");
    }
    CHECK(read("replay 7 ef 1001").error().sqlstate == "22023");
    CHECK(read("set work_mem = '1GB'").error().sqlstate == "42704");
}

TEST_CASE("ROLLBACK alone is SQL's word") {
    const auto statement = read_statement("rollback", {});
    REQUIRE(statement.has_value());
    CHECK(std::get<Transaction>(statement->what).word == TransactionWord::rollback);
}
