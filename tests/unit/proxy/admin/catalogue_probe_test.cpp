#include "proxy/admin/catalogue_probe.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::proxy::admin;

namespace {

const Asker asker{.user = "alice", .database = "veer", .server_version = "15.0"};

// What psql 15 sends, taken with -E.
constexpr std::string_view list_tables =
    R"(SELECT n.nspname as "Schema",
  c.relname as "Name",
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' END as "Type",
  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('r','p','')
      AND n.nspname <> 'pg_catalog'
      AND n.nspname !~ '^pg_toast'
      AND n.nspname <> 'information_schema'
  AND pg_catalog.pg_table_is_visible(c.oid)
ORDER BY 1,2;)";

constexpr std::string_view list_views =
    R"(SELECT n.nspname as "Schema", c.relname as "Name" FROM pg_catalog.pg_class c
WHERE c.relkind IN ('v','') ORDER BY 1,2;)";

constexpr std::string_view find_routes =
    R"(SELECT c.oid, n.nspname, c.relname
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname OPERATOR(pg_catalog.~) '^(routes)$' COLLATE pg_catalog.default
  AND pg_catalog.pg_table_is_visible(c.oid)
ORDER BY 2, 3;)";

std::string describe_columns(std::uint32_t oid) {
    return R"(SELECT a.attname,
  pg_catalog.format_type(a.atttypid, a.atttypmod),
  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)
   FROM pg_catalog.pg_attrdef d
   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),
  a.attnotnull
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = ')" +
           std::to_string(oid) + R"(' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;)";
}

}  // namespace

TEST_CASE("\\dt lists the console's relations") {
    const auto columns = probe_columns(list_tables);
    REQUIRE(columns.size() == 4);
    CHECK(columns[0].name == "Schema");
    CHECK(columns[2].name == "Type");
    const auto rows = probe_rows(list_tables, asker);
    CHECK(rows.size() == relations().size());
    CHECK(rows[0][0] == Value(std::string("veer")));
    CHECK(probe_rows(list_views, asker).empty());
}

TEST_CASE("\\d of one relation finds it, its columns and nothing else") {
    const auto found = probe_rows(find_routes, asker);
    REQUIRE(found.size() == 1);
    const Relation& routes = *find_relation("routes");
    CHECK(found[0][0] == Value(std::to_string(oid_of(routes))));
    CHECK(relation_of_oid(oid_of(routes)) == &routes);
    const auto columns = probe_rows(describe_columns(oid_of(routes)), asker);
    REQUIRE(columns.size() == routes.columns.size());
    CHECK(columns[0][0] == Value(std::string("route")));
    CHECK(columns[6][1] == Value(std::string("double precision")));
    CHECK(is_null(columns[0][2]));
    const auto children = probe_rows(
        "SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i "
        "WHERE c.oid=i.inhparent AND i.inhrelid = '16384'",
        asker
    );
    CHECK(children.empty());
}

TEST_CASE("patterns") {
    const auto matching = [](const std::string& condition) {
        return probe_rows("SELECT relname FROM pg_class WHERE " + condition, asker).size();
    };
    CHECK(matching("relname ~ '^(r.*)$'") == 6);
    CHECK(matching("relname LIKE 'rout%'") == 1);
    CHECK(matching("relname = 'routes'") == 1);
    CHECK(matching("relname = 'r%'") == 0);
    CHECK(matching("relname = $1") == relations().size());
}

TEST_CASE("\\l, and what there is nothing of") {
    const auto databases = probe_rows(
        R"(SELECT d.datname as "Name", pg_catalog.pg_get_userbyid(d.datdba) as "Owner" FROM pg_catalog.pg_database d ORDER BY 1;)",
        asker
    );
    REQUIRE(databases.size() == 1);
    CHECK(databases[0][0] == Value(std::string("veer")));
    CHECK(probe_rows("SELECT proname FROM pg_catalog.pg_proc", asker).empty());
    CHECK(probe_columns("SELECT b.oid, b.typarray FROM pg_catalog.pg_type a").size() == 2);
}

TEST_CASE("any text is taken without harm") {
    for (const char* text :
         {"select from pg_class",
          "select ( from pg_class",
          "with x as (select 1 from pg_class) select",
          "select a, from pg_class where relname =",
          "from pg_class select",
          "select ) from pg_class"}) {
        INFO(text);
        const auto columns = probe_columns(text);
        for (const Row& row : probe_rows(text, asker)) {
            CHECK(row.size() == columns.size());
        }
    }
}
