#include "config/parse.hpp"

#include "config/diff.hpp"
#include "config/keys.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>

using namespace veer::config;

namespace {

std::string problem(std::string_view text) {
    const Result<Config> result = parse(text, "veer.toml");
    return result.has_value() ? "none" : to_string(result.error());
}

}  // namespace

TEST_CASE("An empty file is the default configuration", "[config]") {
    const Result<Config> result = parse("", "veer.toml");
    REQUIRE(result.has_value());
    CHECK(*result == Config{});
    CHECK(result->listen.port == 7432);
    CHECK(result->defaults.percent == 0);
}

TEST_CASE("Transactions that stay open are given up before the slot is", "[config]") {
    // Their changes come from WAL that the slot holds back as long as they are open.
    CHECK(Config{}.sync.streamed_max <= Config{}.sync.wal_keep_max / 4);
}

TEST_CASE("Every key is read", "[config]") {
    const Result<Config> result = parse(
        R"(
[[route]]
column = 'public."Docs".embedding'
operator = "<=>"
percent = 25
[[route]]
column = "public.documents.embedding"
operator = "<->"
salt = "mine"
memory_max = "2GiB"
[listen]
address = "::1"
port = 1
max_connections = 7
[upstream]
dsn = "postgres://u@h/db"
[tls]
mode = "verify-full"
cert = "veer.crt"
key = "veer.key"
ca = "clients.crt"
[auth]
file = "userlist.txt"
query = "default"
[sync]
wal_keep_max = "1GiB"
verify_rate = 0
copy_connections = 4
copy_rate = "1MiB"
streamed_max = "2GiB"
build_threads = 3
[storage]
dir = "/var/lib/veer"
checkpoint_interval = "5m"
vectors = "file"
[defaults]
percent = 0.5
freshness_wait = "2s"
salt = "s"
[limits]
k_max = 200
result_bytes_max = "8MiB"
message_bytes_inspected_max = 4096
connect_timeout = "1m"
index_memory_max = "64GiB"
[log]
level = "warn"
)",
        "veer.toml"
    );
    REQUIRE(result.has_value());
    Config expected;
    expected.listen = {"::1", 1, 7};
    expected.upstream.dsn = "postgres://u@h/db";
    expected.tls = {
        .mode = TlsMode::verify_full, .cert = "veer.crt", .key = "veer.key", .ca = "clients.crt"};
    expected.auth = {.file = "userlist.txt", .query = "default"};
    expected.sync = {
        .wal_keep_max = 1ULL << 30U,
        .verify_rate = 0,
        .copy_connections = 4,
        .copy_rate = 1ULL << 20U,
        .streamed_max = 2ULL << 30U,
        .build_threads = 3};
    expected.storage.dir = "/var/lib/veer";
    expected.storage.checkpoint_interval = std::chrono::minutes(5);
    expected.storage.vectors = Storage::Vectors::file;
    expected.defaults.percent = 0.5;
    expected.defaults.freshness_wait = std::chrono::seconds(2);
    expected.defaults.salt = "s";
    expected.limits = {200, 8ULL << 20U, 4096, std::chrono::minutes(1)};
    expected.limits.index_memory_max = 64ULL << 30U;
    expected.log.level = LogLevel::warn;
    Route& first = expected.routes.emplace_back();
    first.column = {"public", "Docs", "embedding"};
    first.operator_name = "<=>";
    first.percent = 25;
    first.percent_given = true;
    first.salt = "s";
    Route& second = expected.routes.emplace_back();
    second.column = {"public", "documents", "embedding"};
    second.operator_name = "<->";
    second.percent = 0.5;  // of [defaults]
    second.salt = "mine";
    second.memory_max = 2ULL << 30U;
    CHECK(*result == expected);
}

TEST_CASE("A value that is not allowed is told with file, line and what is allowed", "[config]") {
    CHECK(
        problem("[defaults]\npercent = 250") ==
        "veer.toml:2: defaults.percent must be a number from 0 to 100, not 250"
    );
    CHECK(
        problem("\n[listen]\nport = 70000") ==
        "veer.toml:3: listen.port must be an integer from 1 to 65535, not 70000"
    );
    CHECK(
        problem("[listen]\nport = \"x\"") ==
        "veer.toml:2: listen.port must be an integer from 1 to 65535, not \"x\""
    );
    CHECK(
        problem("[log]\nlevel = 'loud'") ==
        "veer.toml:2: log.level must be one of trace, debug, info, warn, error, off, "
        "not \"loud\""
    );
    CHECK(
        problem("[storage]\ncheckpoint_interval = '10ms'") ==
        "veer.toml:2: storage.checkpoint_interval must be a duration from \"1s\" to \"24h\", or "
        "\"0s\" for none, not \"10ms\""
    );
    CHECK(
        problem("[storage]\ndir = ['a']") ==
        "veer.toml:2: storage.dir must be a directory, not [\"a\"]"
    );
    CHECK(
        problem("[limits]\nconnect_timeout = '10'") ==
        "veer.toml:2: limits.connect_timeout must be a duration from \"1ms\" to \"10m\", such as "
        "\"10s\", not \"10\""
    );
}

TEST_CASE("Columns to copy are a word or a list, and the routes' the defaults'", "[config]") {
    const Result<Config> result = parse(
        "[defaults]\ncolumns = 'none'\n"
        "[[route]]\ncolumn = 'a.b.c'\noperator = '<->'\n"
        "[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\ncolumns = ['x', 'y z']\n",
        "veer.toml"
    );
    REQUIRE(result.has_value());
    CHECK(result->defaults.columns == Columns{Columns::Kind::none, {}});
    CHECK(result->routes[0].columns == result->defaults.columns);
    CHECK(result->routes[1].columns == Columns{Columns::Kind::automatic, {"x", "y z"}});
    CHECK(
        problem("[defaults]\ncolumns = 'some'") ==
        "veer.toml:2: defaults.columns must be \"auto\", \"none\", \"all\" or a list of at most "
        "100 column names, not \"some\""
    );
    CHECK(problem("[defaults]\ncolumns = ['a', '']").ends_with("not [\"a\", \"\"]"));
    CHECK(problem("[defaults]\ncolumns = ['a', 1]").ends_with("not something else"));
    CHECK(problem("[defaults]\ncolumns = 'all'") == "none");
}

TEST_CASE("A route may declare a column to hold vectors, and a legacy one beside it", "[config]") {
    const std::string route = "[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\n";
    const Result<Config> result = parse(
        route +
            "[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\nlegacy = '\"Old\"'\n"
            "dimensions = 384\nunparsable = 'skip'\nhalf_migrated = 'whole'\n",
        "veer.toml"
    );
    REQUIRE(result.has_value());
    CHECK_FALSE(result->routes[0].is_declared());
    CHECK(result->routes[1].is_declared());
    CHECK(result->routes[1].legacy == "Old");
    CHECK(result->routes[1].dimensions == 384);
    CHECK(result->routes[1].skips_unparsable);
    CHECK(result->routes[1].searched_whole);
    CHECK(route_name(result->routes[1]) == "a.b.coalesce(c, \"Old\") <=>");
    CHECK(*parse(to_text(*result), "veer.toml") == *result);
    CHECK(problem(route + route).find("a second [[route]] for a.b.c <=>") != std::string::npos);
    CHECK(
        problem(route + "dimensions = 16001").find("a number from 1 to 16000") != std::string::npos
    );
    CHECK(
        problem(route + "legacy = 'a.b'").find("a column of the same table") != std::string::npos
    );
    CHECK(
        problem(route + "unparsable = 'ignore'").find("one of postgres, skip") != std::string::npos
    );
    CHECK(
        problem("[[route]]\ncolumn = 'a.b.c'\noperator = '<~>'\ndimensions = 8") ==
        "veer.toml:1: dimensions and legacy are for <->, <=>, <#> and <+>"
    );
}

TEST_CASE("Values outside their limits are refused", "[config]") {
    for (const auto* text :
         {"[defaults]\npercent = -0.1",
          "[defaults]\npercent = nan",
          "[defaults]\npercent = 100.1",
          "[defaults]\npercent = '5'",
          "[defaults]\npercent = true",
          "[defaults]\nfreshness_wait = '2m'",
          "[defaults]\nfreshness_wait = 50",
          "[compare]\nrate = 1.5",
          "[compare]\nkeep = 10001",
          "[compare]\ngolden = 1001",
          "[compare]\nbudget_per_second = -1",
          "[compare]\nload_max = 65",
          "[compare]\nload_max = -0.1",
          "[limits]\nk_max = 0",
          "[limits]\nk_max = 1.5",
          "[limits]\nresult_bytes_max = 1",
          "[limits]\nresult_bytes_max = -1",
          "[limits]\nresult_bytes_max = '4MB'",
          "[sync]\nwal_keep_max = '1MiB'",
          "[sync]\nwal_keep_max = -1",
          "[sync]\nstreamed_max = '1MiB'",
          "[listen]\nport = 0",
          "[listen]\naddress = ''",
          "[upstream]\ndsn = ''"}) {
        CAPTURE(text);
        CHECK(problem(text).starts_with("veer.toml:2: "));
    }
}

TEST_CASE("Values at their limits are accepted", "[config]") {
    for (const auto* text :
         {"[defaults]\npercent = 100",
          "[compare]\nrate = 1",
          "[compare]\nrate = 0",
          "[defaults]\npercent = 0.001",
          "[defaults]\nfreshness_wait = '0ms'",
          "[listen]\nport = 65535",
          "[limits]\nk_max = 1",
          "[limits]\nresult_bytes_max = '1GiB'"}) {
        CAPTURE(text);
        CHECK(problem(text) == "none");
    }
}

TEST_CASE("An unknown key or table is an error with a suggestion", "[config]") {
    CHECK(
        problem("[defaults]\npercnt = 5") ==
        "veer.toml:2: unknown key \"percnt\": did you mean \"percent\"?"
    );
    CHECK(
        problem("[limit]\nk_max = 5") ==
        "veer.toml:1: unknown table \"limit\": did you mean \"limits\"?"
    );
    CHECK(
        problem("percent = 5") ==
        "veer.toml:1: unknown table \"percent\": known are listen, upstream, tls, auth, "
        "storage, sync, defaults, compare, limits, log, admin, cutover, gates, guards, route, rule"
    );
    CHECK(problem("[log]\nfile = 'x'") == "veer.toml:2: unknown key \"file\": known are level");
    CHECK(
        problem("[[route]]\ncolum = 'a.b.c'").find("did you mean \"column\"?") != std::string::npos
    );
}

TEST_CASE("A route needs a well-formed column and one of pgvector's operators", "[config]") {
    CHECK(
        problem("[[route]]\ncolumn = 'documents.embedding'\noperator = '<=>'") ==
        "veer.toml:2: route.column must be schema.table.column, such as "
        "\"public.documents.embedding\", not \"documents.embedding\""
    );
    CHECK(
        problem("[[route]]\ncolumn = 'a.b.c'\noperator = '<>'") ==
        "veer.toml:3: route.operator must be one of <->, <=>, <#>, <+>, <~>, <%>, not \"<>\""
    );
    CHECK(
        problem("\n[[route]]\ncolumn = 'a.b.c'") ==
        "veer.toml:2: a [[route]] needs operator, one of <->, <=>, <#>, <+>, <~>, <%>"
    );
}

TEST_CASE(
    "What a route answers beyond Postgres' own indexes is off unless it says so", "[config]"
) {
    const auto result = parse(
        "[[route]]\ncolumn = 'a.b.c'\noperator = '<->'\n"
        "[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\n"
        "order_by_similarity = true\ntie_breakers = true\n"
        "functions = ['public.match', 'shop.\"Find It\"']\n",
        "veer.toml"
    );
    REQUIRE(result.has_value());
    CHECK_FALSE(result->routes.at(0).order_by_similarity);
    CHECK_FALSE(result->routes.at(0).tie_breakers);
    CHECK(result->routes.at(1).order_by_similarity);
    CHECK(result->routes.at(1).tie_breakers);
    CHECK(result->routes.at(0).functions.empty());
    CHECK(
        result->routes.at(1).functions ==
        std::vector<FunctionName>{{"public", "match"}, {"shop", "Find It"}}
    );
    CHECK(
        problem("[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\nfunctions = ['match']") ==
        "veer.toml:4: route.functions must be a list of at most 64 functions, such as "
        "\"public.match_documents\", not [\"match\"]"
    );
    CHECK(
        problem("[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\ntie_breakers = 'yes'") ==
        "veer.toml:4: route.tie_breakers must be true or false, not \"yes\""
    );
}

TEST_CASE("A second route for the same column and operator is refused", "[config]") {
    CHECK(
        problem("[[route]]\ncolumn='a.b.c'\noperator='<=>'\n"
                "[[route]]\ncolumn='A.b.\"c\"'\noperator='<=>'"
        ) == "veer.toml:4: a second [[route]] for a.b.c <=>; one is allowed"
    );
    CHECK(
        problem("[[route]]\ncolumn='a.b.c'\noperator='<=>'\n"
                "[[route]]\ncolumn='a.b.c'\noperator='<->'") == "none"
    );
}

TEST_CASE("Tables of the wrong shape are refused", "[config]") {
    CHECK(
        problem("[route]\ncolumn='a.b.c'") ==
        "veer.toml:1: route must be written as [[route]], with two brackets"
    );
    CHECK(problem("route = [1]") == "veer.toml:1: route must be written as [[route]] tables");
    CHECK(problem("limits = 5") == "veer.toml:1: limits must be a table, [limits]");
    CHECK(problem("[[limits]]\nk_max = 5") == "veer.toml:1: limits must be a table, [limits]");
}

TEST_CASE("Of several problems the first by line is told, and how many follow", "[config]") {
    CHECK(
        problem("[log]\nlevel = 'x'\n[defaults]\npercent = 101\nsalt = 5") ==
        "veer.toml:2: log.level must be one of trace, debug, info, warn, error, off, not \"x\" "
        "(and 2 more)"
    );
}

TEST_CASE("A text that is not TOML is an error with its line", "[config]") {
    CHECK(problem("[listen]\nport = = 1").starts_with("veer.toml:2: not TOML: "));
    CHECK(problem("[listen]\nport = 1\nport = 2").starts_with("veer.toml:3: not TOML: "));
    CHECK(problem("a = \"\xff\"").starts_with("veer.toml:1: not TOML: "));
    CHECK(problem(std::string(100'000, '[')).starts_with("veer.toml:1: "));
}

TEST_CASE("A missing file is an error that names it", "[config]") {
    const Result<Config> result = load("no/such/veer.toml");
    REQUIRE(!result.has_value());
    CHECK(to_string(result.error()) == "no/such/veer.toml: no such configuration file");
    CHECK(!load(std::filesystem::temp_directory_path()).has_value());
}

TEST_CASE("A file is read as its text is", "[config]") {
    const auto path = std::filesystem::temp_directory_path() / "veer_config_parse_test.toml";
    std::ofstream(path) << "[listen]\nport = 6543\n";
    const Result<Config> result = load(path);
    std::filesystem::remove(path);
    REQUIRE(result.has_value());
    CHECK(result->listen.port == 6543);
}

TEST_CASE("Brackets that begin no table name are an error, not an abort", "[config]") {
    for (const auto* text : {"[[[", "[[#", "[=", "[[ [a]]]", "[,]", "[[.", "[\"", "[", "[["}) {
        CAPTURE(text);
        CHECK(problem(text).starts_with("veer.toml:1: not TOML: "));
    }
}

TEST_CASE("TLS is off without a certificate, and preferred with one", "[config]") {
    CHECK(parse("", "veer.toml")->tls.effective_mode() == TlsMode::disable);
    const auto given = parse("[tls]\ncert = 'c'\nkey = 'k'", "veer.toml");
    REQUIRE(given.has_value());
    CHECK(given->tls.effective_mode() == TlsMode::prefer);
    CHECK(
        parse("[tls]\nmode = 'disable'\ncert = 'c'\nkey = 'k'", "veer.toml")
            ->tls.effective_mode() == TlsMode::disable
    );
}

TEST_CASE("A TLS mode without the files that it needs is refused with its line", "[config]") {
    CHECK(
        problem("\n[tls]\nmode = 'require'") ==
        "veer.toml:2: [tls] needs cert and key with this mode"
    );
    CHECK(problem("[tls]\ncert = 'c'") == "veer.toml:1: [tls] needs both cert and key, or neither");
    CHECK(problem("[tls]\nkey = 'k'") == "veer.toml:1: [tls] needs both cert and key, or neither");
    CHECK(
        problem("[tls]\nmode = 'verify-ca'\ncert = 'c'\nkey = 'k'") ==
        "veer.toml:1: [tls] needs ca, who may sign client certificates, with this mode"
    );
    CHECK(
        problem("[tls]\nmode = 'yes'") ==
        "veer.toml:2: tls.mode must be one of auto, disable, allow, prefer, require, verify-ca, "
        "verify-full, not \"yes\""
    );
}

TEST_CASE("Another server needs a route that any copy will do for", "[config]") {
    const std::string route = "[[route]]\ncolumn = 'public.docs.e'\noperator = '<=>'\n";
    CHECK(
        problem(route + "engine = 'host=next'\n") ==
        "veer.toml:1: [[route]] public.docs.e <=>: engine needs freshness = \"eventual\": how far "
        "another server is, nobody can tell"
    );
    CHECK(
        problem(route + "engine_operator = '<~>'\n") ==
        "veer.toml:1: [[route]] public.docs.e <=>: engine_operator needs engine"
    );
    const auto said_of = [&route](const std::string& key, const std::string& name) {
        return problem(route + "engine = 'x'\n" + key + " = \"" + name + "\"\n");
    };
    for (const char* const name : {"<~>)", "a", "--", "</*"}) {
        CHECK(said_of("engine_operator", name)
                  .starts_with("veer.toml:5: route.engine_operator must be an operator"));
    }
    CHECK(
        problem(route + "engine_function = 'l2_distance'\n") ==
        "veer.toml:1: [[route]] public.docs.e <=>: engine_function needs engine"
    );
    for (const char* const name : {"a.b.c", "1a", "a(", "a b", ".a", "a.", "a-b", "a'; DROP"}) {
        CHECK(said_of("engine_function", name)
                  .starts_with("veer.toml:5: route.engine_function must be a function"));
    }
    CHECK(problem(route + "engine = 'x'\nengine_lag_max = '25h'\n")
              .starts_with("veer.toml:5: route.engine_lag_max must be a duration"));
    const auto good = parse(
        route +
            "freshness = 'eventual'\nengine = 'host=next password=secret'\nengine_operator = "
            "'<~>'\nengine_function = 'next.l2_distance'\nengine_lag_max = '5s'\n",
        "veer.toml"
    );
    REQUIRE(good.has_value());
    CHECK(good->routes.front().engine == "host=next password=secret");
    CHECK(good->routes.front().engine_operator == "<~>");
    CHECK(good->routes.front().engine_function == "next.l2_distance");
    CHECK(good->routes.front().engine_lag_max == std::chrono::seconds(5));
    CHECK(
        parse(to_text(*good), "veer.toml")->routes.front().engine_lag_max == std::chrono::seconds(5)
    );
    CHECK(to_text(*good).find("secret") == std::string::npos);
    CHECK(to_text(*good).find("engine = \"host=next password=***\"") != std::string::npos);
}

TEST_CASE("A route's ef may be learnt, and vectors lie where it suits", "[config]") {
    const std::string route = "[[route]]\ncolumn = 'a.b.c'\noperator = '<=>'\n";
    const Result<Config> plain = parse(route, "veer.toml");
    REQUIRE(plain.has_value());
    CHECK_FALSE(plain->routes[0].learns_ef);
    CHECK(plain->routes[0].recall_target == 0.99);
    CHECK(plain->routes[0].visits_max == 0);
    CHECK(plain->storage.vectors == Storage::Vectors::automatic);
    const Result<Config> result = parse(
        "[storage]\nvectors = 'memory'\n" + route +
            "ef_search = 'auto'\nrecall_target = 0.95\nvisits_max = 20000",
        "veer.toml"
    );
    REQUIRE(result.has_value());
    CHECK(result->routes[0].learns_ef);
    CHECK(result->routes[0].recall_target == 0.95);
    CHECK(result->routes[0].visits_max == 20'000);
    CHECK(result->storage.vectors == Storage::Vectors::memory);
    CHECK(*parse(to_text(*result), "veer.toml") == *result);
    CHECK(problem(route + "ef_search = 40").find("one of session, auto") != std::string::npos);
    CHECK(problem(route + "recall_target = 1").find("0.5 to 0.9999") != std::string::npos);
    CHECK(problem(route + "visits_max = 99").find("from 100 to 1000000000") != std::string::npos);
    CHECK(problem("[storage]\nvectors = 'disk'").find("\"auto\"") != std::string::npos);
}
