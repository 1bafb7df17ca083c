#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>
#include <vector>

// Indexes of veer's own: what the client gets, what the server, and what is declared when.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* create = "CREATE INDEX docs_e ON docs USING veer (e vector_l2_ops)";
constexpr const char* enlist = "SELECT veer.register('d', 'public', 'docs', 'e', 4, 'ip')";

struct Managing {
    Managing() { f.router.set_declarations(declarations); }

    /// The server's answer to veer's question, `good` but for whose `taken` is.
    std::string answer(const std::string& taken = "f", const std::string& owned = "t") {
        return f.server(asked(taken, owned) + F::ready());
    }

    static std::string asked(const std::string& taken = "f", const std::string& owned = "t") {
        return F::bare('3') + F::bare('1') + F::bare('2') +
               F::data_row(
                   {taken,
                    "app",
                    "t",
                    "public",
                    "r",
                    "p",
                    owned,
                    "t",
                    "vector",
                    "4",
                    "vector",
                    "t",
                    "",
                    "f"}
               ) +
               F::command_complete("SELECT 1") + F::bare('3') + F::bare('3');
    }

    std::size_t declared() const { return declarations.all()->size(); }

    std::string problem;
    router::Declarations declarations{{}, "app", [this](const router::Declarations::All& /*all*/) {
                                          return problem;
                                      }};
    F f;
};

bool has(const std::string& bytes, std::string_view text) {
    return bytes.find(text) != std::string::npos;
}

TEST_CASE("CREATE INDEX USING veer is asked about, done and told", "[session][management]") {
    Managing m;
    CHECK(F::types(m.f.client(F::query(create))) == "CPBECCS");
    const std::string told = m.answer();
    CHECK(F::types(told) == "NCZ");
    CHECK(has(told, "CREATE INDEX"));
    CHECK(has(told, "index \"docs_e\" on public.docs (e)"));
    CHECK(m.declared() == 1);
    CHECK(m.f.client(F::query("SELECT 1")) == F::query("SELECT 1"));  // in step
}

TEST_CASE("A function gives its one row", "[session][management]") {
    Managing m;
    m.f.client(F::query(enlist));
    const std::string told = m.answer();
    CHECK(F::types(told) == "TNDCZ");
    CHECK(has(told, "public.docs.e <#>"));
    CHECK(m.declared() == 1);
}

TEST_CASE("What cannot be stored is not told as done", "[session][management]") {
    Managing m;
    m.problem = "the disk is full";
    m.f.client(F::query(create));
    CHECK(m.answer().empty());
    const std::string told = m.f.server(F::error("42601") + F::ready());
    CHECK(F::types(told) == "EZ");
    CHECK(has(told, "58030"));
    CHECK(has(told, "the disk is full"));
    CHECK(m.declared() == 0);
}

TEST_CASE("A client waits until its change is stored", "[session][management]") {
    Managing m;
    m.f.holds_changes = true;
    m.f.client(F::query(create));
    CHECK(m.answer().empty());
    CHECK(m.declared() == 0);
    REQUIRE(m.f.out.change);
    const PendingChange change = *std::exchange(m.f.out.change, std::nullopt);
    CHECK(m.f.session.paused());
    CHECK(!m.f.session.at_rest());
    CHECK(m.f.client(F::query("SELECT 1")).empty());
    CHECK(m.f.session.on_cancel(m.f.now, m.f.out) == Session::CancelAction::nothing);

    const auto why = change.make();
    CHECK(m.declared() == 1);
    m.f.session.on_changed(change.number + 1, why, m.f.now, m.f.out);  // of another session
    CHECK(m.f.to_client().empty());
    m.f.session.on_changed(change.number, why, m.f.now, m.f.out);
    CHECK(F::types(m.f.to_client()) == "NCZ");
    CHECK(m.f.to_server() == F::query("SELECT 1"));
    m.f.session.on_changed(change.number, why, m.f.now, m.f.out);
    CHECK(m.f.to_client().empty());
}

TEST_CASE("A refusal is an error of Postgres' in veer's words", "[session][management]") {
    Managing m;
    m.f.client(F::query(create));
    m.f.out = {};
    CHECK(m.answer("f", "f").empty());
    CHECK(F::types(m.f.to_server()) == "Q");
    const std::string told = m.f.server(F::error("42601") + F::ready());
    CHECK(F::types(told) == "EZ");
    CHECK(has(told, "42501"));
    CHECK(has(told, "must be owner of table docs"));
    CHECK(m.declared() == 0);
}

TEST_CASE("What Postgres has goes there as it came", "[session][management]") {
    Managing m;
    m.f.client(F::query(create));
    m.f.out = {};
    CHECK(m.answer("t").empty());
    CHECK(m.f.to_server() == F::query(create));
    m.f.server(F::command_complete("CREATE INDEX") + F::ready());
    m.f.client(F::parse("s", create));
    m.f.out = {};
    CHECK(m.answer("t").empty());
    CHECK(m.f.to_server() == F::parse("s", create));
    CHECK(m.declared() == 0);
}

TEST_CASE("A prepared one is veer's alone until it is executed", "[session][management]") {
    Managing m;
    m.f.client(F::parse("s", create));
    CHECK(F::types(m.answer()) == "1");
    CHECK(m.declared() == 0);
    const std::string all = F::describe('S', "s") + F::bind("s", {}) + F::describe_portal();
    CHECK(m.f.client(all).empty());
    CHECK(F::types(m.f.to_client()) == "tn2n");
    CHECK(F::types(m.f.client(F::execute() + F::sync())) == "CPBECCS");
    CHECK(F::types(m.answer()) == "NCZ");
    CHECK(m.declared() == 1);

    // Once more: it is there already, and the rest of the batch is skipped.
    m.f.client(F::bind("s", {}) + F::execute() + F::sync());
    m.f.out = {};
    CHECK(m.answer().empty());
    CHECK(F::types(m.f.to_server()) == "PS");
    const std::string told = m.f.server(F::error("42601") + F::ready());
    CHECK(F::types(told) == "EZ");
    CHECK(has(told, "42P07"));
    CHECK(m.declared() == 1);
}

TEST_CASE("In a transaction block it is refused, and not done", "[session][management]") {
    Managing m;
    m.f.client(F::query("BEGIN"));
    m.f.server(F::command_complete("BEGIN") + F::ready('T'));
    m.f.client(F::query(create));
    m.f.out = {};
    CHECK(m.f.server(Managing::asked() + F::ready('T')).empty());
    CHECK(F::types(m.f.to_server()) == "Q");
    const std::string told = m.f.server(F::error("42601") + F::ready('E'));
    CHECK(has(told, "25001"));
    CHECK(m.f.client(F::query(create)) == F::query(create));  // Postgres says 25P02
    CHECK(m.declared() == 0);
}

TEST_CASE("Behind another statement of its batch it is refused", "[session][management]") {
    Managing m;
    m.f.client(F::parse("s", create));
    m.answer();
    m.f.client(F::sync());
    m.f.out = {};
    const std::string sent = m.f.client(
        F::parse("", "INSERT INTO t VALUES (1)") + F::bind("", {}) + F::execute() +
        F::bind("s", {}) + F::execute() + F::sync()
    );
    CHECK(F::types(sent) == "PBEPS");  // the fourth cannot be parsed
    const std::string told = m.f.server(
        F::bare('1') + F::bare('2') + F::command_complete("INSERT 0 1") + F::error("42601") +
        F::ready()
    );
    CHECK(F::types(told) == "12C2EZ");
    CHECK(has(told, "25001"));
    CHECK(m.declared() == 0);
}

TEST_CASE("What has ended the question ends the statement", "[session][management]") {
    Managing m;
    m.f.client(F::parse("s", create));
    m.answer();
    m.f.client(F::bind("s", {}) + F::execute() + F::sync());
    m.f.out = {};
    CHECK(m.f.server(F::bare('3') + F::bare('1') + F::bare('2') + F::error("57014") + F::ready())
              .empty());
    CHECK(F::types(m.f.to_server()) == "PS");
    const std::string told = m.f.server(F::error("42601") + F::ready());
    CHECK(F::types(told) == "EZ");
    CHECK(has(told, "57014"));
    CHECK(m.declared() == 0);
    // The next question is asked all the same.
    m.f.client(F::bind("s", {}) + F::execute() + F::sync());
    CHECK(F::types(m.answer()) == "2NCZ");
    CHECK(m.declared() == 1);
}

TEST_CASE("Behind what has failed in its batch it is skipped", "[session][management]") {
    Managing m;
    m.f.client(F::parse("s", create));
    m.answer();
    m.f.client(F::sync());
    m.f.out = {};
    const std::string sent =
        m.f.client(F::parse("t", "SELEC 1") + F::bind("s", {}) + F::execute() + F::sync());
    CHECK(F::types(sent) == "PCPBECCS");
    // The server skips all up to the Sync of veer's own.
    std::string told = m.f.server(F::error("42601") + F::ready());
    m.f.out = {};
    told += m.f.server(F::error("42601") + F::ready());
    CHECK(F::types(told) == "EZ");
    CHECK(m.declared() == 0);
    CHECK(m.f.client(F::query("SELECT 1")) == F::query("SELECT 1"));  // in step
}

TEST_CASE("A prepared DROP INDEX may be executed once more", "[session][management]") {
    Managing m;
    m.f.client(F::query(create));
    m.answer();
    const auto answer = [&m](std::vector<std::string> fields) {
        return m.f.server(
            F::bare('3') + F::bare('1') + F::bare('2') + F::data_row(fields) +
            F::command_complete("SELECT 1") + F::bare('3') + F::bare('3') + F::ready()
        );
    };
    m.f.client(F::parse("s", "DROP INDEX docs_e"));
    answer({"f", "app", "public", "f", "t"});
    m.f.client(F::bind("s", {}) + F::execute() + F::sync());
    CHECK(F::types(answer({"f", "app", "public", "f", "t"})) == "2CZ");
    CHECK(m.declared() == 0);
    // A question that cannot be answered does not keep the next from being asked.
    m.f.client(F::bind("s", {}) + F::execute() + F::sync());
    m.f.server(F::bare('3') + F::error("XX000") + F::ready());
    CHECK(has(m.f.server(F::error("42601") + F::ready()), "55000"));
    m.f.out = {};
    CHECK(F::types(m.f.client(F::bind("s", {}) + F::execute() + F::sync())) == "CPBECCS");
}

TEST_CASE("Names of another encoding are not stored", "[session][management]") {
    Managing m;
    std::string latin;
    wire::MessageWriter(latin, 'S').text("client_encoding").text("LATIN1");
    m.f.client(F::parse("s", "SELECT veer.register('d\xc3\xa9', NULL, 'docs', 'e', 4)"));
    m.answer();
    m.f.client(F::sync());
    m.f.server(latin);
    m.f.out = {};
    CHECK(F::types(m.f.client(F::bind("s", {}) + F::execute() + F::sync())) == "PS");
    CHECK(has(m.f.server(F::error("42601") + F::ready()), "0A000"));
    CHECK(m.declared() == 0);
    CHECK(
        F::types(m.f.client(F::query("CREATE INDEX d\xe9 ON t USING veer (e vector_l2_ops)"))) ==
        "Q"
    );
    CHECK(has(m.f.server(F::error("42601") + F::ready()), "0A000"));
    CHECK(F::types(m.f.client(F::query(create))) == "CPBECCS");
}

TEST_CASE("Without a place for declarations nothing is looked at", "[session][management]") {
    F f;
    CHECK(f.client(F::query(create)) == F::query(create));
}

}  // namespace

TEST_CASE("Who declares an index wants it used, unless a [[route]] says less", "[session]") {
    for (const bool given : {false, true}) {
        Managing m;
        config::Route route;
        route.column = {"public", "docs", "e"};
        route.operator_name = "<->";
        route.percent_given = given;
        route.tie_breakers = true;
        m.f.config.defaults.percent = 0;
        m.f.config.routes = {route};
        m.f.router.configure(m.f.config);
        m.f.client(F::query(create));
        m.answer();
        REQUIRE(m.declared() == 1);
        const auto routes = m.f.router.routes();
        REQUIRE(routes->routes.size() == 1);
        CHECK(routes->routes.front().tie_breakers);
        CHECK(routes->routes.front().traffic->share() == (given ? 0 : 100));
    }
}

}  // namespace veer::proxy::session
