#include "parser/management.hpp"

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace veer::parser;
using Kind = Management::Kind;

std::optional<Management> read(std::string_view text) {
    return read_management(text, [](std::string_view name) { return name == "docs_e"; });
}

TEST_CASE("CREATE INDEX USING veer is read as Postgres reads it", "[management]") {
    const auto read_one = read(
        "/* c */ Create Index CONCURRENTLY if not exists \"Docs E\" ON Shop.\"Docs\" USING "
        "\"veer\" "
        "(\"E\" public.vector_cosine_ops) WITH (m = 24, ef_construction='100', quantization = sq8);"
    );
    REQUIRE(read_one);
    Management expected;
    expected.if_there = true;
    expected.schema = "shop";
    expected.table = "Docs";
    expected.column = "E";
    expected.name = "Docs E";
    expected.operator_class = "vector_cosine_ops";
    expected.options = {{"m", "24"}, {"ef_construction", "100"}, {"quantization", "sq8"}};
    CHECK(*read_one == expected);

    const auto unnamed = read("CREATE INDEX ON docs USING VEER (e vector_l2_ops)");
    REQUIRE(unnamed);
    CHECK(unnamed->name.empty());
    CHECK(!unnamed->schema);
    CHECK(unnamed->options.empty());
    CHECK(
        read("CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (quantization = none)")
            ->options == std::vector<Management::Option>{{"quantization", "none"}}
    );
}

TEST_CASE("What an index of veer's has not is refused in Postgres' words", "[management]") {
    const auto refused = [](std::string_view text) {
        const auto management = read(text);
        REQUIRE(management);
        return management->refused;
    };
    const std::string start = "access method \"veer\" does not support ";
    CHECK(refused("CREATE UNIQUE INDEX ON t USING veer (e o)") == start + "unique indexes");
    CHECK(refused("CREATE INDEX ON t USING veer (e o, f o)") == start + "multicolumn indexes");
    CHECK(refused("CREATE INDEX ON t USING veer (e o) INCLUDE (f)") == start + "included columns");
    CHECK(refused("CREATE INDEX ON t USING veer (e o DESC)") == start + "ASC/DESC options");
    CHECK(
        refused("CREATE INDEX ON t USING veer (e o NULLS FIRST)") ==
        start + "NULLS FIRST/LAST options"
    );
    CHECK(
        refused("CREATE INDEX ON t USING veer (e o) WHERE e IS NULL") == start + "partial indexes"
    );
    CHECK(refused("CREATE INDEX ON t USING veer ((e::x) o)") == start + "indexes on expressions");
    CHECK(
        refused("CREATE INDEX ON d.s.t USING veer (e o)") ==
        "cross-database references are not implemented: \"d.s.t\""
    );
}

TEST_CASE("Other statements are nobody's business", "[management]") {
    for (const std::string_view text :
         {"CREATE INDEX ON docs USING hnsw (veer vector_l2_ops)",
          "CREATE INDEX veer ON docs (e)",
          "CREATE TABLE veer (i int)",
          "DROP INDEX docs_other",
          "DROP INDEX a.b.docs_e",
          "DROP TABLE docs_e",
          "SELECT register('a', 'b', 'c', 'd', 3) /* veer */",
          "SELECT veer.search('register', '[1]')",
          "SELECT 'veer.register(1)'",
          "INSERT INTO t VALUES ('veer.register()')",
          "CREATE INDEX ON docs USING veer",
          ""}) {
        CAPTURE(text);
        CHECK(!read(text));
    }
    CHECK(!may_manage("SELECT id FROM docs ORDER BY e <-> $1 LIMIT 5"));
    CHECK(!may_manage("SELECT veer.register(" + std::string(3000, ' ') + ")"));
    CHECK(!may_manage("INSERT INTO veer SELECT 1"));
    CHECK(may_manage(" -- c\n DROP /* d */ INDEX x"));
}

TEST_CASE("DROP INDEX names an index of veer's", "[management]") {
    auto dropped = read("DROP INDEX CONCURRENTLY IF EXISTS shop.DOCS_E CASCADE");
    REQUIRE(dropped);
    CHECK(dropped->kind == Kind::drop_index);
    CHECK(dropped->name == "docs_e");
    CHECK(dropped->schema == "shop");
    CHECK(dropped->if_there);
    CHECK(dropped->alone);
    CHECK(dropped->refused.empty());
    CHECK(!read("DROP INDEX other, docs_e")->refused.empty());
    CHECK(!read("DROP INDEX docs_e; SELECT 1")->alone);
}

TEST_CASE("The functions take constants, by place or by name", "[management]") {
    Management expected;
    expected.kind = Kind::enlist;
    expected.name = "Docs";
    expected.schema = "shop";
    expected.table = "docs";
    expected.column = "e";
    expected.dimensions = 384;
    expected.metric = "cosine";
    CHECK(read("SELECT veer.register('Docs', 'shop', 'docs', 'e', 384, 'cosine')") == expected);
    CHECK(
        read("select * FROM Veer.Register('Docs'::text, 'shop', 'docs', 'e', 384::int, metric => "
             "'cosine') AS r") == expected
    );
    expected.by_ruvector = true;
    CHECK(
        read("SELECT ruvector_register_collection(p_name => 'Docs', p_table_schema => 'shop', "
             "p_table_name => 'docs', p_column_name => 'e', p_dimensions => 384, "
             "p_distance_metric => 'cosine') AS id") == expected
    );
    const auto gone = read("SELECT veer.unregister('Docs')");
    REQUIRE(gone);
    CHECK(gone->kind == Kind::unlist);
    CHECK(gone->name == "Docs");
    CHECK(gone->refused.empty());
    CHECK(read("SELECT ruvector_unregister_collection('Docs')")->by_ruvector);
    const auto without = read("SELECT veer.register('d', NULL, 'docs', 'e', NULL)");
    REQUIRE(without);
    CHECK(!without->schema);
    CHECK(!without->dimensions);
    CHECK(without->metric.empty());
}

TEST_CASE("Calls in any other way are told how", "[management]") {
    for (const std::string_view text :
         {"SELECT veer.register($1, 'shop', 'docs', 'e', 3)",
          "SELECT veer.register('a', 'shop', 'docs')",
          "SELECT veer.register('a', 'shop', 'docs', 'e', 3, 'l2', 7)",
          "SELECT veer.register('a', 'shop', 'docs', 'e', 'x')",
          "SELECT veer.register('a', 'shop', 'docs', 'e', name => 'b')",
          "SELECT veer.register(a, 's', 't', 'e', 3) FROM t",
          "SELECT 1 + veer.register('a', 's', 't', 'e', 3)",
          "SELECT veer.unregister('a') FROM t",
          "SELECT veer.unregister()",
          "SELECT veer.unregister(NULL)",
          "SELECT veer.unregister('a', 'b')"}) {
        CAPTURE(text);
        const auto management = read(text);
        REQUIRE(management);
        CHECK(management->refused.starts_with("it is called as SELECT veer."));
    }
}

}  // namespace
