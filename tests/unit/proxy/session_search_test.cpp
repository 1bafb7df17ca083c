#include "proxy/wire/frontend.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

// Searches: who answers, in which order the messages come, and that trouble goes to Postgres.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* nearest = "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3";
constexpr const char* prepared = "SELECT id, e <-> $1 AS d FROM docs ORDER BY e <-> $1 LIMIT 3";

std::string execution() {
    return F::bind("s", {"[7,0]"}) + F::describe_portal() + F::execute() + F::sync();
}

/// A session that has prepared "s" and knows its facts.
void prepare(F& f) {
    f.client(F::parse("s", prepared) + F::sync());
    f.server(std::string("1\0\0\0\4", 5) + F::ready());
}

}  // namespace

TEST_CASE("a simple search asks the facts once and is then answered locally", "[proxy]") {
    F f;
    CHECK(F::types(f.client(F::query(nearest))) == "CPBECCS");
    const std::string answer = f.answer_facts();
    CHECK(F::types(answer) == "TDDDCZ");
    CHECK(answer.find("SELECT 3") != std::string::npos);
    CHECK(f.client(F::query(nearest)).empty());
    CHECK(F::types(f.to_client()) == "TDDDCZ");
}

TEST_CASE("a prepared search is answered without a byte to the server", "[proxy]") {
    F f;
    prepare(f);
    CHECK(F::types(f.client(execution())) == "CPBECCS");
    CHECK(F::types(f.answer_facts()) == "2TDDDCZ");
    CHECK(f.client(execution()).empty());
    CHECK(F::types(f.to_client()) == "2TDDDCZ");
}

TEST_CASE("Parse and search in one batch are answered in order", "[proxy]") {
    F f;
    const std::string batch = F::parse("", prepared) + F::bind("", {"[7,0]"}) +
                              F::describe_portal() + F::execute() + F::sync();
    CHECK(F::types(f.client(batch)) == "PCPBECCS");
    CHECK(F::types(f.server(std::string("1\0\0\0\4", 5))) == "1");
    CHECK(F::types(f.answer_facts()) == "2TDDDCZ");
    f.router.note_write();
    CHECK(F::types(f.client(batch)) == "PCPBECCS");
    CHECK(f.to_client().empty());
    CHECK(F::types(f.server(F::bare('1'))) == "1");
    CHECK(F::types(f.answer_facts()) == "2TDDDCZ");
}

TEST_CASE("a Parse that fails ends its batch with one error and one ReadyForQuery", "[proxy]") {
    F f;
    const std::string batch =
        F::parse("", prepared) + F::bind("", {"[7,0]"}) + F::execute() + F::sync();
    f.client(batch);
    CHECK(F::types(f.server(F::error("42P01") + F::ready())) == "EZ");
    const std::string next = F::query("select 1");
    CHECK(f.client(next) == next);
}

TEST_CASE("outside the share a search passes unasked and unchanged", "[proxy]") {
    F f(0);
    const std::string question = F::query(nearest);
    CHECK(f.client(question) == question);
    prepare(f);
    f.server(F::ready());
}

TEST_CASE("facts that forbid it send the statement to Postgres unchanged", "[proxy]") {
    const std::vector<std::pair<std::size_t, std::string>> forbidding[] = {
        {{1, "f"}},         // the role may not read the key
        {{1, "f"}},         // the role may not read the key
        {{0, "700,801,"}},  // ALTER TYPE
        {{2, "t"}},         // row level security
        {{3, "f"}},         // another table of that name is first in search_path
        {{4, "f"}},         // another operator is
        {{6, "t"}},         // the transaction wrote
        {{7, "repeatable read"}},
        {{8, "off"}},        // enable_indexscan
        {{11, "postgres"}},  // veer.route
    };
    for (const auto& changes : forbidding) {
        F f;
        const std::string question = F::query(nearest);
        f.client(question);
        CHECK(f.answer_facts(changes).empty());
        CHECK(f.to_server() == question);
    }
}

TEST_CASE("facts that fail send the statement to Postgres", "[proxy]") {
    F f;
    const std::string question = F::query(nearest);
    f.client(question);
    CHECK(f.server(F::error("XX000") + F::ready()).empty());
    CHECK(f.to_server() == question);
}

TEST_CASE("other columns are fetched by key, and held until complete", "[proxy]") {
    F f;
    const std::string question = F::query("SELECT * FROM docs ORDER BY e <-> '[7,0]' LIMIT 3");
    f.client(question);
    f.answer_facts();
    const std::string sent = f.to_server();
    CHECK(F::types(sent) == "Q");
    CHECK(sent.find("WHERE \"docs\".\"id\"") != std::string::npos);
    const std::string rows = F::data_row({"7"}) + F::data_row({"6"}) + F::data_row({"8"}) +
                             F::command_complete("SELECT 3");
    CHECK(f.server(rows).empty());
    CHECK(f.server(F::ready()) == rows + F::ready());
}

TEST_CASE("a rewritten answer that is short, or fails, is asked again as it came", "[proxy]") {
    const std::string replies[] = {
        F::data_row({"7"}) + F::command_complete("SELECT 1") + F::ready(),
        F::error("42501") + F::ready()};
    for (const std::string& reply : replies) {
        F f;
        const std::string question = F::query("SELECT * FROM docs ORDER BY e <-> '[7,0]' LIMIT 3");
        f.client(question);
        f.answer_facts();
        f.to_server();
        CHECK(f.server(reply).empty());
        CHECK(f.to_server() == question);
    }
}

TEST_CASE(
    "a search that committed writes precede waits for the index, then for nobody", "[proxy]"
) {
    F f;
    f.router.note_write();
    const std::string question = F::query(nearest);
    f.client(question);
    CHECK(f.answer_facts({{17, "0/C8"}}).empty());
    REQUIRE(f.out.wait);
    CHECK(f.out.wait->position == storage::Lsn{0xC8});
    SECTION("reached in time") {
        f.replica.applied(storage::Lsn{0xC8});
        f.waited();
        CHECK(F::types(f.to_client()) == "TDDDCZ");
    }
    SECTION("not reached: Postgres answers") {
        f.waited();
        CHECK(f.to_server() == question);
    }
}

TEST_CASE("a session that asks for no more than it says waits for nothing", "[proxy]") {
    constexpr std::size_t freshness = 23;
    constexpr std::size_t token = 17;
    F f;
    f.router.note_write();
    const std::string question = F::query(nearest);
    f.client(question);
    SECTION("eventual") {
        const std::string answer = f.answer_facts({{token, "0/C8"}, {freshness, "eventual"}});
        CHECK(F::types(answer) == "TDDDCZ");
    }
    SECTION("bounded, and nothing is known: Postgres answers") {
        f.answer_facts({{token, "0/C8"}, {freshness, "bounded 500ms"}});
        CHECK(f.to_server() == question);
    }
    SECTION("bounded, and known to hold what there was") {
        f.router.freshness().note(storage::Lsn{100}, std::chrono::nanoseconds{f.now.nanoseconds});
        f.now.nanoseconds += 500'000'000;
        const std::string answer = f.answer_facts({{token, "0/C8"}, {freshness, "bounded 500ms"}});
        CHECK(F::types(answer) == "TDDDCZ");
    }
    SECTION("bounded, and older") {
        f.router.freshness().note(storage::Lsn{100}, std::chrono::nanoseconds{f.now.nanoseconds});
        f.now.nanoseconds += 500'000'001;
        f.answer_facts({{token, "0/C8"}, {freshness, "bounded 500ms"}});
        CHECK(f.to_server() == question);
    }
    SECTION("a word that is none is the strictest") {
        f.answer_facts({{token, "0/C8"}, {freshness, "soon"}});
        CHECK(f.out.wait);
    }
}

TEST_CASE("a write by any session makes the next search ask again", "[proxy]") {
    F f;
    f.client(F::query(nearest));
    f.answer_facts();
    f.router.note_write();
    CHECK(F::types(f.client(F::query(nearest))) == "CPBECCS");
}

TEST_CASE("INSERT counts as a write before its ReadyForQuery is passed on", "[proxy]") {
    F f;
    const auto before = f.router.write_epoch();
    f.client(F::query("insert into docs values (1)"));
    f.server(F::command_complete("INSERT 0 1"));
    f.server(F::ready());
    CHECK(f.router.write_epoch() > before);
    f.client(F::query("select 1"));
    const auto between = f.router.write_epoch();
    f.server(F::command_complete("SELECT 1") + F::ready());
    CHECK(f.router.write_epoch() == between);
}

TEST_CASE("bad vectors and wrong dimensions are left to Postgres", "[proxy]") {
    for (const std::string vector : {"[1]", "[1,2,3]", "abc", "[1,NaN]", ""}) {
        F f;
        prepare(f);
        const std::string batch = F::bind("s", {vector}) + F::execute() + F::sync();
        CHECK(f.client(batch) == batch);
    }
}

TEST_CASE("after a local answer a Bind to the unnamed statement finds none upstream", "[proxy]") {
    F f;
    f.client(F::query(nearest));
    f.answer_facts();
    // Postgres' simple Query would have destroyed the unnamed statement.
    CHECK(F::types(f.client(F::bind("", {}) + F::execute() + F::sync())) == "CBES");
    CHECK(F::types(f.server(std::string("3\0\0\0\4", 5) + F::error("26000") + F::ready())) == "EZ");
}

TEST_CASE(
    "a failed rewrite in a transaction shows its error, even where veer's own Parse failed",
    "[proxy]"
) {
    F f;
    f.client(F::query("begin"));
    f.server(F::command_complete("BEGIN") + F::ready('T'));
    f.client(F::parse("s", "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 3") + F::sync());
    f.server(std::string("1\0\0\0\4", 5) + F::ready('T'));
    f.client(execution());
    f.answer_facts();
    CHECK(F::types(f.to_server()) == "DCPBDECS");
    const std::string described = std::string("t\0\0\0\6\0\0", 7) + F::bare('n');
    const std::string close = std::string("3\0\0\0\4", 5);
    CHECK(F::types(f.server(described + close + F::error("42703") + F::ready('E'))) == "EZ");
}

TEST_CASE("an error of veer's making that a client gets is counted for the guard", "[proxy]") {
    struct Case {
        const char* sqlstate;
        std::uint64_t counted;
    };

    for (const auto& [sqlstate, counted] : {Case{"42601", 1}, Case{"42883", 0}, Case{"22012", 0}}) {
        F f;
        f.client(F::query("begin"));
        f.server(F::command_complete("BEGIN") + F::ready('T'));
        f.client(F::query("SELECT * FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"));
        f.answer_facts();
        f.to_server();
        CHECK(F::types(f.server(F::error(sqlstate) + F::ready('E'))) == "EZ");
        const auto table = f.router.routes();
        CHECK(table->routes.at(0).traffic->client_errors == counted);
    }
}

TEST_CASE("a canceled rewrite is not run again", "[proxy]") {
    F f;
    f.client(F::query("SELECT * FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"));
    f.answer_facts();
    f.to_server();
    CHECK(F::types(f.server(F::error("57014") + F::ready())) == "EZ");
    CHECK(f.to_server().empty());
}

TEST_CASE("a cancel that hits veer's own question is the client's", "[proxy]") {
    F f;
    f.client(F::query(nearest));
    const std::string reply = std::string("3\0\0\0\4", 5) + std::string("1\0\0\0\4", 5);
    CHECK(F::types(f.server(reply + F::error("57014") + F::ready())) == "EZ");
    CHECK(f.to_server().empty());
}

TEST_CASE("declared parameter types that Postgres reads otherwise are left to it", "[proxy]") {
    constexpr std::uint32_t halfvec = 16498;
    F f;
    std::string parse;
    wire::write_parse(parse, "h", prepared, {halfvec});
    f.client(parse + F::sync());
    f.server(std::string("1\0\0\0\4", 5) + F::ready());
    const std::string batch = F::bind("h", {"[7,0]"}) + F::execute() + F::sync();
    CHECK(f.client(batch) == batch);
}

TEST_CASE("an ef that statement or session says is that one, whatever was learnt", "[proxy]") {
    static constexpr std::size_t ef_is_set = 26;  // of the facts
    F f;
    config::Route route;
    route.column = {"public", "docs", "e"};
    route.operator_name = "<->";
    route.percent = 100;
    route.learns_ef = true;
    f.config.routes.push_back(route);
    f.router.configure(f.config);
    f.router.routes()->routes.front().traffic->learned_ef = 14;
    f.holds_searches = true;
    const auto ef_of = [&f](const std::string& hint, const std::string& is_set = "f") {
        f.held.reset();
        f.client(F::query(hint + "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"));
        if (!f.held) {
            f.answer_facts({{ef_is_set, is_set}});
        }
        REQUIRE(f.held);
        const PendingSearch held = *f.held;
        f.session.on_found(held.number, held.order.run(), f.now, f.out);
        f.to_client();
        return held.order.ef;
    };
    CHECK(ef_of("") == 14);
    CHECK(ef_of("/* veer: ef=40 */ ") == 40);
    CHECK(ef_of("/* veer: ef=70 */ ") == 70);
    f.client(F::query("SET hnsw.ef_search = 40"));
    f.server(F::command_complete("SET") + F::ready());
    CHECK(ef_of("", "t") == 40);
    f.client(F::query("RESET hnsw.ef_search"));
    f.server(F::command_complete("RESET") + F::ready());
    CHECK(ef_of("") == 14);
}

TEST_CASE("what takes the index too long, or finds no place, Postgres answers", "[proxy]") {
    SessionFixture f;
    f.holds_searches = true;
    const std::string statement = "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3";
    const auto [failure, reason] = GENERATE(
        std::pair{index::Errc::late, "search_late"},
        std::pair{index::Errc::too_many_visits, "search_wide"},
        std::pair{index::Errc::busy, "search_busy"}
    );
    f.client(F::query(statement));
    f.answer_facts();
    REQUIRE(f.held);
    CHECK(f.held->gives_up == Instant{f.now.nanoseconds + 5'000'000'000});
    f.session.on_found(f.held->number, index::make_error_code(failure), f.now, f.out);
    CHECK(f.to_server() == F::query(statement));
    CHECK(f.to_client().empty());
    f.server(F::command_complete("SELECT 0") + F::ready());
    f.client(F::query("SHOW veer.last"));
    CHECK(f.to_client().find(reason) != std::string::npos);
}

TEST_CASE("a search that visits more than its route allows is Postgres' to answer", "[proxy]") {
    SessionFixture f;
    config::Route route;
    route.column = {"public", "docs", "e"};
    route.operator_name = "<->";
    route.percent = 100;
    route.visits_max = 100;
    f.config.routes.push_back(route);
    f.router.configure(f.config);
    f.client(F::query("SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 15"));
    CHECK(F::types(f.answer_facts()) == "T" + std::string(15, 'D') + "CZ");  // of 20
    storage::Transaction more;
    more.commit_lsn = more.end_lsn = {100};
    for (char id = 'A'; id <= 'z'; ++id) {
        for (char high = 1; high < 5; ++high) {
            storage::Row row;
            storage::append_key_column(row.key, std::string(6, '\0') + high + id);
            row.vectors.emplace_back(std::vector<float>{
                static_cast<float>(id), static_cast<float>(high)});
            more.changes.emplace_back(storage::Upsert{{4711}, {}, row});
        }
    }
    f.replica.apply(more);
    const std::string wide = "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 200";
    CHECK(f.client(F::query(wide)) == F::query(wide));
    f.server(F::command_complete("SELECT 0") + F::ready());
    f.client(F::query("SHOW veer.last"));
    CHECK(f.to_client().find("search_wide") != std::string::npos);
}

TEST_CASE("an encoding that is set in the same batch is seen in the facts", "[proxy]") {
    constexpr std::size_t client_encoding = 24;
    constexpr std::size_t standard_conforming_strings = 25;
    const std::pair<std::size_t, std::string> settings[] = {
        {client_encoding, "LATIN1"}, {standard_conforming_strings, "off"}};
    for (const auto& setting : settings) {
        F f;
        prepare(f);
        f.client(F::parse("set", "SET client_encoding TO 'LATIN1'") + F::sync());
        f.server(F::bare('1') + F::ready());
        const std::string search = F::bind("s", {"[7,0]"}) + F::execute();
        f.client(F::bind("set", {}) + F::execute() + search + F::sync());
        f.server(F::bare('2') + F::command_complete("SET"));
        CHECK(f.answer_flushed_facts({setting}).empty());
        CHECK(f.to_server() == search + F::sync());
    }
}

}  // namespace veer::proxy::session
