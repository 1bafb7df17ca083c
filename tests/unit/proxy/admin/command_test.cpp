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
    CHECK(must("verify") == Command{.verb = Verb::verify});
    CHECK(must("verify rate 500") == Command{.verb = Verb::verify, .rate = 500});
    CHECK(
        must("VERIFY 'public.documents.embedding <=>' RATE 1e4") ==
        Command{.verb = Verb::verify, .route = "public.documents.embedding <=>", .rate = 10'000}
    );
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
    CHECK(read("set work_mem = '1GB'").error().sqlstate == "42704");
}

TEST_CASE("ROLLBACK alone is SQL's word") {
    const auto statement = read_statement("rollback", {});
    REQUIRE(statement.has_value());
    CHECK(std::get<Transaction>(statement->what).word == TransactionWord::rollback);
}
