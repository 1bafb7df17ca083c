#include "router/rewrite.hpp"

#include "storage/row.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

namespace {

using namespace std::string_literals;

storage::Column column(const std::string& name, std::uint32_t type) {
    return {
        .name = name,
        .attnum = 1,
        .type_oid = type,
        .type_length = -1,
        .typmod = -1,
        .not_null = true};
}

Route route_with_key(const std::vector<storage::Column>& columns) {
    Route route;
    route.column.table.columns = columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        route.column.table.key.push_back(i);
    }
    return route;
}

index::Hit hit(const std::vector<std::string>& values) {
    index::Hit made;
    for (const std::string& value : values) {
        storage::append_key_column(made.key, value);
    }
    return made;
}

parser::NearestNeighbourQuery query(const std::string& reference) {
    parser::NearestNeighbourQuery made;
    made.reference = reference;
    return made;
}

constexpr std::uint32_t int4 = 23;
constexpr std::uint32_t text = 25;
constexpr std::uint32_t date = 1082;
constexpr std::uint32_t timestamptz = 1184;

}  // namespace

TEST_CASE("one integer key becomes one array", "[router]") {
    const std::vector<index::Hit> hits = {hit({"\0\0\0\7"s}), hit({"\xff\xff\xff\xff"s})};
    CHECK(
        restrict_to_keys(
            "SELECT * FROM t ORDER BY x",
            {.condition = {}, .order = 16},
            query("t"),
            route_with_key({column("id", int4)}),
            hits
        ) ==
        "SELECT * FROM t WHERE \"t\".\"id\" OPERATOR(pg_catalog.=) ANY "
        "('{\"7\",\"-1\"}'::pg_catalog.int4[]) ORDER BY x"
    );
}

TEST_CASE("text keys cannot break out of their literal", "[router]") {
    const std::vector<index::Hit> hits = {hit({R"(it's "x" \ {,})"})};
    const auto rewritten =
        restrict_to_keys("ORDER", {}, query("a\"b"), route_with_key({column("n", text)}), hits);
    CHECK(
        rewritten ==
        R"(WHERE "a""b"."n" OPERATOR(pg_catalog.=) ANY ('{"it''s \"x\" \\ {,}"}'::pg_catalog.text[]) ORDER)"
    );
}

TEST_CASE("several key columns become a disjunction", "[router]") {
    const std::vector<index::Hit> hits = {hit({"\0\0\0\1"s, "a"}), hit({"\0\0\0\2"s, "b'"})};
    const auto rewritten = restrict_to_keys(
        "ORDER", {}, query("t"), route_with_key({column("i", int4), column("n", text)}), hits
    );
    CHECK(
        rewritten ==
        "WHERE ((\"t\".\"i\" OPERATOR(pg_catalog.=) '1'::pg_catalog.int4 AND "
        "\"t\".\"n\" OPERATOR(pg_catalog.=) 'a'::pg_catalog.text) OR "
        "(\"t\".\"i\" OPERATOR(pg_catalog.=) '2'::pg_catalog.int4 AND "
        "\"t\".\"n\" OPERATOR(pg_catalog.=) 'b'''::pg_catalog.text)) ORDER"
    );
}

TEST_CASE("times of a key are read alike under every DateStyle and TimeZone", "[router]") {
    const std::vector<index::Hit> hits = {
        hit({"\0\0\0\x3b"s, "\xff\xff\xff\xff\xff\xff\xff\xff"s})};
    const auto rewritten = restrict_to_keys(
        "ORDER",
        {},
        query("t"),
        route_with_key({column("d", date), column("at", timestamptz)}),
        hits
    );
    CHECK(
        rewritten ==
        "WHERE ((\"t\".\"d\" OPERATOR(pg_catalog.=) '2000-02-29'::pg_catalog.date AND "
        "\"t\".\"at\" OPERATOR(pg_catalog.=) "
        "'1999-12-31 23:59:59.999999+00'::pg_catalog.timestamptz)) ORDER"
    );
}

TEST_CASE("a key that is not of its column's type is no key", "[router]") {
    const std::vector<index::Hit> hits = {hit({"abc"})};
    CHECK_FALSE(
        restrict_to_keys("ORDER", {}, query("t"), route_with_key({column("id", int4)}), hits)
    );
}

}  // namespace veer::router
