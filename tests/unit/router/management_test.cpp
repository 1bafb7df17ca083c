#include "router/management.hpp"

#include "router/management_row.hpp"

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace veer;
using namespace veer::router;
using Change = ManagementChange;

Declaration declared(std::string name) {
    Declaration made;
    made.name = std::move(name);
    made.schema = "public";
    made.table = "docs";
    made.column = "e";
    made.operator_name = "<=>";
    return made;
}

/// docs (e vector(4)) of the role's own, with nothing of that name yet.
ManagementRow good_row() {
    return {"f", "app", "t", "public", "r", "p", "t", "t", "vector", "4", "vector", "t", {}, "f"};
}

const Declarations::All none;

ManagementDecision decide(
    std::string_view text,
    const ManagementRow& row = good_row(),
    const Declarations::All& known = none,
    bool in_transaction = false
) {
    const auto management =
        parser::read_management(text, [](std::string_view /*name*/) { return true; });
    REQUIRE(management);
    return decide_management(
        *management, row, known, {.database = "app", .in_transaction = in_transaction}
    );
}

std::string sqlstate(const ManagementDecision& decision) {
    const auto* const why = std::get_if<Complaint>(&decision);
    return why == nullptr ? "none" : why->sqlstate;
}

constexpr std::string_view create = "CREATE INDEX docs_e ON docs USING veer (e vector_cosine_ops)";

ManagementRow with(TableRow place, std::optional<std::string_view> value) {
    ManagementRow row = good_row();
    row[place] = value;
    return row;
}

TEST_CASE("An index is made of what its statement says", "[management]") {
    const auto decision = decide(
        "CREATE INDEX docs_e ON docs USING veer (e vector_cosine_ops)"
        " WITH (m = 24, ef_construction = 100, quantization = none, dimensions = 4)"
    );
    const auto* const change = std::get_if<Change>(&decision);
    REQUIRE(change != nullptr);
    Declaration expected = declared("docs_e");
    expected.m = 24;
    expected.ef_construction = 100;
    expected.quantization = "none";
    CHECK(change->kind == Change::Kind::add);
    CHECK(change->declaration == expected);
    CHECK(change->notice.find("\"docs_e\" on public.docs (e)") != std::string::npos);
}

TEST_CASE("What Postgres has is Postgres'", "[management]") {
    CHECK(decide(create, with(table_taken, "t")) == ManagementDecision(ToPostgres{}));
    CHECK(decide(create, {}) == ManagementDecision(ToPostgres{}));  // it could not be asked
    const Declarations::All known{declared("docs_e")};
    const auto drop = [&](const ManagementRow& row) {
        return decide("DROP INDEX docs_e", row, known);
    };
    CHECK(drop({"t", "app", "public", "f", "t"}) == ManagementDecision(ToPostgres{}));
    CHECK(drop({"f", "app", {}, {}, {}}) == ManagementDecision(ToPostgres{}));
    CHECK(drop({"f", "app", "public", "t", "t"}) == ManagementDecision(ToPostgres{}));
    CHECK(drop({"f", "other", "public", "f", "t"}) == ManagementDecision(ToPostgres{}));
    CHECK(drop({"f", "app", "shop", "f", "t"}) == ManagementDecision(ToPostgres{}));
    const auto dropped = drop({"f", "app", "public", "f", "t"});
    REQUIRE(std::holds_alternative<Change>(dropped));
    CHECK(std::get<Change>(dropped).kind == Change::Kind::remove);
    CHECK(std::get<Change>(dropped).declaration == known.front());
}

TEST_CASE("What is wrong with an index has Postgres' SQLSTATE", "[management]") {
    CHECK(sqlstate(decide(create, good_row(), none, true)) == "25001");
    CHECK(sqlstate(decide(std::string(create) + "; SELECT 1")) == "25001");
    CHECK(sqlstate(decide(create, with(table_database, "other"))) == "0A000");
    CHECK(
        sqlstate(
            decide("CREATE INDEX ON shop.docs USING veer (e vector_l2_ops)", with(table_usage, {}))
        ) == "3F000"
    );
    CHECK(
        sqlstate(
            decide("CREATE INDEX ON shop.docs USING veer (e vector_l2_ops)", with(table_usage, "f"))
        ) == "42501"
    );
    CHECK(sqlstate(decide(create, with(table_schema, {}))) == "42P01");
    CHECK(sqlstate(decide(create, with(table_owned, "f"))) == "42501");
    CHECK(sqlstate(decide(create, with(table_creates, "f"))) == "42501");
    CHECK(sqlstate(decide(create, with(table_kind, "v"))) == "42809");
    CHECK(sqlstate(decide(create, with(table_persistence, "u"))) == "0A000");
    CHECK(sqlstate(decide(create, with(table_type, {}))) == "42703");
    CHECK(sqlstate(decide(create, with(table_type, "int4"))) == "42804");
    CHECK(sqlstate(decide(create, with(table_type, "halfvec"))) == "42804");
    CHECK(sqlstate(decide(create, with(table_class, "f"))) == "42704");
    CHECK(sqlstate(decide(create, with(table_names, "1"))) == "42P07");
    CHECK(sqlstate(decide(create, with(table_typmod, "-1"))) == "22023");
    CHECK(sqlstate(decide(create, good_row(), {declared("docs_e")})) == "42P07");
    CHECK(sqlstate(decide(create, good_row(), {declared("other")})) == "42710");
    CHECK(sqlstate(decide("CREATE INDEX ON docs USING veer (e)")) == "42704");
    for (const std::string_view options :
         {"m = 1",
          "m = 101",
          "m = 'x'",
          "m",
          "ef_construction = 2000",
          "m = 40, ef_construction = 70",
          "quantization = pq",
          "dimensions = 0",
          "lists = 100",
          "m = 16, m = 16"}) {
        CAPTURE(options);
        CHECK(
            sqlstate(decide(std::string(create) + " WITH (" + std::string(options) + ")")) ==
            "22023"
        );
    }
    CHECK(sqlstate(decide(std::string(create) + " WITH (dimensions = 3)")) == "22000");
    CHECK(sqlstate(decide(create, with(table_generated, "t"))) == "0A000");
    ManagementRow half = with(table_type, "halfvec");
    half[table_typmod] = "-1";
    CHECK(
        sqlstate(
            decide("CREATE INDEX ON docs USING veer (e halfvec_l2_ops) WITH (dimensions = 4)", half)
        ) == "22023"
    );
}

TEST_CASE("IF NOT EXISTS says that there is one", "[management]") {
    const auto decision = decide(
        "CREATE INDEX IF NOT EXISTS docs_e ON docs USING veer (e vector_cosine_ops)",
        good_row(),
        {declared("docs_e")}
    );
    REQUIRE(std::holds_alternative<Change>(decision));
    CHECK(std::get<Change>(decision).kind == Change::Kind::nothing);
    CHECK(std::get<Change>(decision).notice == "relation \"docs_e\" already exists, skipping");
}

TEST_CASE("An index without a name gets the one that Postgres would give it", "[management]") {
    constexpr std::string_view unnamed = "CREATE INDEX ON docs USING veer (e vector_l2_ops)";
    const auto name = [](const ManagementDecision& decision) {
        REQUIRE(std::holds_alternative<Change>(decision));
        return std::get<Change>(decision).declaration.name;
    };
    CHECK(name(decide(unnamed)) == "docs_e_idx");
    CHECK(name(decide(unnamed, with(table_names, "2 1"))) == "docs_e_idx2");
    CHECK(
        name(decide(unnamed, with(table_names, "1"), {declared("docs_e_idx1")})) == "docs_e_idx2"
    );
    parser::Management long_one;
    long_one.table = std::string(40, 'a');
    for (int i = 0; i < 20; ++i) {
        long_one.column += "\xc3\xa9";
    }
    for (const std::string& each : index_names(long_one)) {
        CHECK(each.size() <= 63);
        CHECK(each.find("\xc3_idx") == std::string::npos);
    }
}

TEST_CASE("A collection has the metric and the dimensions that it is given", "[management]") {
    const auto enlist = [](std::string_view arguments, const ManagementRow& row = good_row()) {
        return decide(
            "SELECT veer.register('d', NULL, 'docs', 'e', " + std::string(arguments) + ")", row
        );
    };
    const auto made = enlist("4, 'cosine'");
    REQUIRE(std::holds_alternative<Change>(made));
    Declaration expected = declared("d");
    expected.kind = Declaration::Kind::collection;
    CHECK(std::get<Change>(made).declaration == expected);
    CHECK(std::get<Change>(enlist("NULL")).declaration.operator_name == "<->");
    CHECK(sqlstate(enlist("3")) == "22000");
    CHECK(sqlstate(decide("SELECT veer.register('a.b', NULL, 'docs', 'e', 4)")) == "42602");
    CHECK(sqlstate(enlist("0")) == "22023");
    CHECK(sqlstate(enlist("4, 'hamming'")) == "42804");
    CHECK(sqlstate(enlist("4, 'none'")) == "22023");
    CHECK(sqlstate(enlist("4", with(table_owned, "f"))) == "42501");
    ManagementRow array = with(table_type, "_float4");
    array[table_typmod] = "-1";
    CHECK(std::get<Change>(enlist("384, 'ip'", array)).declaration.dimensions == 384);
    CHECK(sqlstate(enlist("NULL", array)) == "22023");
    CHECK(sqlstate(enlist("4", with(table_type, "int4"))) == "42804");
}

TEST_CASE("A collection is taken away by its owner", "[management]") {
    Declaration docs = declared("docs");
    docs.kind = Declaration::Kind::collection;
    const auto unlist = [&](std::optional<std::string_view> owned, std::string_view name = "docs") {
        return decide(
            "SELECT veer.unregister('" + std::string(name) + "')",
            {"f", "app", owned},
            {docs, declared("docs_e")}
        );
    };
    CHECK(std::get<Change>(unlist("t")).declaration == docs);
    CHECK(std::get<Change>(unlist({})).declaration == docs);  // the table is gone
    CHECK(sqlstate(unlist("f")) == "42501");
    CHECK(sqlstate(unlist({}, "other")) == "42704");
    CHECK(std::get<Complaint>(unlist({}, "docs_e")).hint.find("DROP INDEX") != std::string::npos);
}

parser::Management read(std::string_view text) {
    auto management = parser::read_management(text, [](std::string_view /*name*/) { return true; });
    REQUIRE(management);
    return *std::move(management);
}

TEST_CASE("Names go into the question as literals, whatever the settings", "[management]") {
    const auto question = management_query(
        read("CREATE INDEX ON \"it's\".\"d\\'ocs\" USING veer (\"e'\" \"o'ps\")"), none, true
    );
    REQUIRE(question);
    for (const std::string_view literal : {"E'it''s'", "E'd\\\\''ocs'", "E'e'''", "E'o''ps'"}) {
        CAPTURE(literal);
        CHECK(question->find(literal) != std::string::npos);
    }
}

TEST_CASE("Names outside of ASCII are asked about in UTF8 alone", "[management]") {
    const auto drop = read("DROP INDEX docs_e");
    const auto enlist = read("SELECT veer.register('d\xc3\xa9j\xc3\xa0', NULL, 'docs', 'e', 4)");
    Declarations::All known{declared("docs_e")};
    CHECK(management_query(drop, known, false));
    CHECK(!management_query(enlist, none, false));
    CHECK(management_query(enlist, none, true));
    known.front().table = "n\xc3\xb6";
    CHECK(!management_query(drop, known, false));
    CHECK(management_query(drop, known, true));
    CHECK(refuse_encoding().sqlstate == "0A000");
}

TEST_CASE("What is dropped after it has gone is told as Postgres does", "[management]") {
    const auto drop = read("DROP INDEX docs_e");
    const auto question = management_query(drop, none, true);
    REQUIRE(question);
    CHECK(question->find("CASE END") == std::string::npos);
    const ManagementRow gone{"f", "app", {}, "f", {}};
    CHECK(sqlstate(decide_gone(drop, gone)) == "42704");
    const auto skipped = decide_gone(read("DROP INDEX IF EXISTS docs_e"), gone);
    REQUIRE(std::holds_alternative<Change>(skipped));
    CHECK(std::get<Change>(skipped).kind == Change::Kind::nothing);
    CHECK(std::get<Change>(skipped).notice == "index \"docs_e\" does not exist, skipping");
    // What Postgres has by now, and an unanswered question.
    CHECK(sqlstate(decide_gone(drop, {"f", "app", "public", "t", {}})) == "55000");
    CHECK(sqlstate(decide_gone(drop, {})) == "55000");
    CHECK(sqlstate(decide_gone(read(create), good_row())) == "55000");
}

}  // namespace
