#include "config/column_name.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::config;

TEST_CASE("A column name is schema.table.column, folded as Postgres folds it", "[config]") {
    CHECK(
        parse_column_name("public.documents.embedding") ==
        ColumnName{"public", "documents", "embedding"}
    );
    CHECK(parse_column_name("Public.Docs.E_1$") == ColumnName{"public", "docs", "e_1$"});
}

TEST_CASE("Quoted identifiers keep case, dots and doubled quotes", "[config]") {
    CHECK(
        parse_column_name(R"("My Schema"."a.b"."x""y")") == ColumnName{"My Schema", "a.b", "x\"y"}
    );
}

TEST_CASE("Anything but three identifiers is malformed", "[config]") {
    for (const auto* text :
         {"",
          "e",
          "t.e",
          "a.b.c.d",
          "a..c",
          ".b.c",
          "a.b.",
          "a.b.c ",
          " a.b.c",
          "a. b.c",
          "1a.b.c",
          "a.b.c;",
          "\"a.b.c",
          "\"\".b.c",
          "a.b.c-d",
          "a\"b\".c.d"}) {
        CAPTURE(text);
        CHECK(!parse_column_name(text));
    }
}

TEST_CASE("A column name is quoted only where it must be", "[config]") {
    for (const auto* text :
         {"public.documents.embedding", R"("Public".t."a.b")", R"(a."b""c".d)"}) {
        const auto name = parse_column_name(text);
        REQUIRE(name);
        CHECK(to_string(*name) == text);
    }
}
