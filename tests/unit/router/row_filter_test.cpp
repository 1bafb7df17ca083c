#include "router/row_filter.hpp"

#include "parser/recognise.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace veer;
using namespace veer::router;
using index::Filter;
using index::FilterValue;

namespace {

storage::Table table() {
    storage::Table made;
    const auto add = [&](const char* name, std::uint32_t type) {
        made.columns.push_back(
            {.name = name,
             .attnum = static_cast<std::int16_t>(made.columns.size() + 1),
             .type_oid = type}
        );
    };
    add("id", 20);
    add("e", 16'385);
    add("tenant", 23);
    add("name", 25);
    add("active", 16);
    add("day", 1082);
    add("price", 701);
    add("secret", 25);
    add("meta", 3802);
    add("tags", 1009);
    add("years", 1007);
    add("big", 1016);
    made.key = {0};
    made.vectors = {1};
    // id, tenant, name, active, day, price, meta, tags, years, big
    made.copied = {0, 2, 3, 4, 5, 6, 8, 9, 10, 11};
    return made;
}

RowFilter filter_of(const std::string& condition, std::vector<ParameterValue> parameters = {}) {
    const auto statement =
        parser::normalise("select id from t where " + condition + " order by e <-> $9 limit 5");
    const auto recognition = parser::recognise(statement.text);
    const auto& query = std::get<parser::NearestNeighbourQuery>(recognition);
    parameters.resize(9);
    return row_filter(
        query.condition.value(), table(), {.parameters = parameters, .literals = statement.literals}
    );
}

Filter compare(std::size_t column, Filter::Comparison comparison, FilterValue value) {
    return {
        .kind = Filter::Kind::compare,
        .comparison = comparison,
        .column = column,
        .values = {std::move(value)}};
}

Filter equal(std::size_t column, FilterValue value) {
    return compare(column, Filter::Comparison::equal, std::move(value));
}

bool doubtful(const std::string& condition, std::vector<ParameterValue> parameters = {}) {
    const RowFilter made = filter_of(condition, std::move(parameters));
    return !made.filter && !made.whole;
}

constexpr std::uint32_t int4_oid = 23;
constexpr std::uint32_t int8_oid = 20;
constexpr std::uint32_t text_oid = 25;

}  // namespace

TEST_CASE("A condition on copied columns becomes the index's filter", "[router]") {
    const RowFilter made = filter_of("tenant = 3");
    CHECK(made.whole);
    CHECK(made.filter == equal(1, std::int64_t{3}));
    CHECK(filter_of("name = 'x'").filter == equal(2, std::string{"x"}));
    CHECK(filter_of("active").filter == equal(3, true));
    CHECK(filter_of("active = false").filter == equal(3, false));
    CHECK(filter_of("tenant = '3'").filter == equal(1, std::int64_t{3}));
    CHECK(filter_of("tenant = '3'::int8").filter == equal(1, std::int64_t{3}));
    CHECK(
        filter_of("day >= '2000-01-03'").filter ==
        compare(4, Filter::Comparison::greater_or_equal, std::int64_t{2})
    );
    CHECK(filter_of("price is null").filter == Filter{.kind = Filter::Kind::is_null, .column = 5});
    CHECK(filter_of("tenant <> null").filter == Filter{.kind = Filter::Kind::unknown});
    CHECK(filter_of("tenant = null::int").filter == Filter{.kind = Filter::Kind::unknown});
    CHECK(doubtful("tenant = null"));           // transform_null_equals
    CHECK(doubtful("name = any('{null,a}')"));  // array_nulls
    CHECK(doubtful("tenant = any(array[1, 40000]::int2[])"));
    CHECK(doubtful("tenant = any($1)", {{"{40000}", false, 1005}}));
}

TEST_CASE("Members of jsonb become the index's filter", "[router]") {
    const auto about = [](Filter filter) {
        filter.column = 6;
        filter.member = "k";
        return filter;
    };
    CHECK(filter_of("meta->>'k' = 'v'").filter == about(equal(6, std::string{"v"})));
    CHECK(filter_of("meta->>'k' is null").filter == about({.kind = Filter::Kind::is_null}));
    const auto listed = filter_of("meta->>'k' in ('v', 'w')").filter;
    REQUIRE(listed);
    CHECK(listed->member == "k");
    CHECK(listed->values.size() == 2);
    CHECK(
        filter_of("meta->>'k' = $1", {{"v", false, 0}}).filter == about(equal(6, std::string{"v"}))
    );
    const auto contained = [&](const std::string& value) {
        Filter all{.kind = Filter::Kind::all_of};
        all.children = {about({.kind = Filter::Kind::contains, .values = {value}})};
        return all;
    };
    CHECK(filter_of("meta @> '{\"k\": 1.50}'").filter == contained("1.50"));
    CHECK(
        filter_of("meta @> ' { \"k\" :\"a\\\"\\n\" } '::jsonb").filter == contained(R"("a\"\n")")
    );
    CHECK(filter_of("meta @> $1", {{"{\"k\":true}", false, 3802}}).filter == contained("true"));
    CHECK(filter_of("meta @> $1", {{"\x01{\"k\":null}", true, 0}}).filter == contained("null"));
    CHECK(filter_of("meta @> '{\"a\": 1, \"b\": 2}'").filter->children.size() == 2);
    for (const char* const text :
         {"{}",
          "[]",
          "1",
          "",
          "{\"k\"}",
          "{\"k\": 1",
          "{\"k\": 1} x",
          "{\"k\": 1,}",
          "{\"k\": [1]}",
          "{\"k\": {}}",
          "{\"k\": 1e2}",
          "{\"k\": 01}",
          "{\"k\": 1.}",
          "{\"k\": -0}",
          "{\"k\": .5}",
          "{\"k\": \"\\u0041\"}",
          "{\"k\": \"\t\"}",
          "{\"k\": 1, \"k\": 1}",
          "{\"k\": nul}",
          "{k: 1}"}) {
        CHECK(doubtful("meta @> '" + std::string(text) + "'"));
    }
    CHECK(doubtful("meta @> $1", {{"{\"k\":1}", false, text_oid}}));
    CHECK(doubtful("meta @> '{\"k\": 1}'::text"));
    CHECK(doubtful("meta && '{\"k\": 1}'"));
    CHECK(doubtful("meta = '{\"k\": 1}'"));
    CHECK(doubtful("meta->>'k' < 'v'"));
    CHECK(doubtful("meta->>'k' = 1"));
    CHECK(doubtful("name->>'k' = 'v'"));
}

TEST_CASE("Elements of arrays become the index's filter", "[router]") {
    const auto about = [](Filter::Kind kind, std::size_t column, std::vector<FilterValue> values) {
        return Filter{.kind = kind, .column = column, .values = std::move(values)};
    };
    const auto has = Filter::Kind::contains;
    const auto meets = Filter::Kind::overlaps;
    const FilterValue x{std::string{"x"}};
    const FilterValue y{std::string{"{y}"}};
    const FilterValue one{std::int64_t{1}};
    CHECK(filter_of("tags @> array['x']").filter == about(has, 7, {x}));
    CHECK(filter_of("tags && array['{y}', 'x']").filter == about(meets, 7, {y, x}));
    CHECK(filter_of("tags @> '{x,\"{y}\"}'").filter == about(has, 7, {x, y}));
    CHECK(filter_of("tags @> '{}'::text[]").filter == about(has, 7, {}));
    CHECK(filter_of("tags && $1", {{"{x}", false, 1009}}).filter == about(meets, 7, {x}));
    CHECK(filter_of("years @> array[1]").filter == about(has, 8, {one}));
    CHECK(filter_of("years && $1", {{"{1}", false, 0}}).filter == about(meets, 8, {one}));
    CHECK(filter_of("big @> array[1]::int8[]").filter == about(has, 9, {one}));
    CHECK(filter_of("big && '{1}'").filter == about(meets, 9, {one}));
    CHECK(doubtful("big @> array[1]"));                     // integer[]: an error
    CHECK(doubtful("years @> array[3000000000]"));          // bigint[]: an error
    CHECK(doubtful("tags @> '{x}'::varchar[]"));            // an error
    CHECK(doubtful("tags && $1", {{"{x}", false, 1015}}));  // an error
    CHECK(doubtful("years && array['1']"));                 // an error
    CHECK(doubtful("tags @> '{x,NULL}'"));
    CHECK(doubtful("tags @> $1", {{std::nullopt, false, 1009}}));
    CHECK(doubtful("tags @> '{{x}}'"));
    CHECK(doubtful("tags = '{x}'"));
    CHECK(doubtful("name @> '{x}'"));
}

TEST_CASE("What cannot be told for sure is left to Postgres", "[router]") {
    CHECK(doubtful("secret = 'x'"));  // not copied
    CHECK(doubtful("nothing = 1"));   // no such column
    CHECK(doubtful("name < 'x'"));    // an order is a collation's
    CHECK(doubtful("price > 1"));     // floats
    CHECK(doubtful("name = 5"));      // an error
    CHECK(doubtful("active = 1"));    // an error
    CHECK(doubtful("tenant"));        // an error
    CHECK(doubtful("tenant = 'x'"));  // an error
    CHECK(doubtful("tenant = '3000000000'"));
    CHECK(doubtful("tenant = '3'::text"));
    CHECK(doubtful("day = '1/2/2024'"));
    CHECK(doubtful("tenant = 1 or secret = 'x'"));
    CHECK(doubtful("not (tenant = 1 and secret = 'x')"));
}

TEST_CASE("Of conditions that all have to hold, some are better than none", "[router]") {
    const RowFilter made = filter_of("tenant = 3 and (secret = 'x' and active)");
    CHECK_FALSE(made.whole);
    REQUIRE(made.filter);
    REQUIRE(made.filter->children.size() == 2);
    CHECK(made.filter->children[0] == equal(1, std::int64_t{3}));
    CHECK(made.filter->children[1].children == std::vector{equal(3, true)});
}

TEST_CASE("Parameters are of the type that they were declared, or else the column's", "[router]") {
    using namespace std::string_view_literals;
    const auto bound = [](std::string_view bytes, bool binary, std::uint32_t type) {
        return std::vector<ParameterValue>{{bytes, binary, type}};
    };
    CHECK(filter_of("tenant = $1", bound("7", false, 0)).filter == equal(1, std::int64_t{7}));
    CHECK(
        filter_of("tenant = $1", bound("\0\0\0\x07"sv, true, 0)).filter == equal(1, std::int64_t{7})
    );
    CHECK(
        filter_of("tenant = $1", bound("\0\0\0\0\0\0\0\x07"sv, true, int8_oid)).filter ==
        equal(1, std::int64_t{7})
    );
    CHECK(doubtful("tenant = $1", bound("\0\0\0\0\0\0\0\x07"sv, true, 0)));
    CHECK(doubtful("tenant = $1", bound("7", false, text_oid)));
    CHECK(doubtful("tenant = $1", bound("7", false, 1700)));
    CHECK(doubtful("tenant = $1 and id = $1", bound("7", false, 0)));
    CHECK(filter_of("tenant = $1 and id = $1", bound("7", false, int4_oid)).whole);
    CHECK(filter_of("name = $1", bound("x", true, 1043)).filter == equal(2, std::string{"x"}));
    CHECK(doubtful("name = $1", bound("\xFF", false, text_oid)));
    CHECK(
        filter_of("tenant = $1", {{std::nullopt, false, 0}}).filter ==
        Filter{.kind = Filter::Kind::unknown}
    );
}

TEST_CASE("Lists keep their NULLs, and an empty array holds nothing", "[router]") {
    const RowFilter listed = filter_of("tenant in (1, 2, null)");
    REQUIRE(listed.filter);
    CHECK(listed.filter->kind == Filter::Kind::one_of);
    CHECK(listed.filter->null_listed);
    CHECK(listed.filter->values.size() == 2);
    CHECK(filter_of("tenant = any('{1,2}')").filter->values.size() == 2);
    CHECK(filter_of("tenant = any(array[1, 2])").filter->values.size() == 2);
    CHECK(filter_of("name = any($1)", {{"{a,b}", false, 1009}}).filter->values.size() == 2);
    CHECK(filter_of("tenant = any('{}')").filter == Filter{.kind = Filter::Kind::any_of});
    CHECK(
        filter_of("tenant = any($1)", {{std::nullopt, false, 0}}).filter ==
        Filter{.kind = Filter::Kind::unknown}
    );
    CHECK(doubtful("tenant = any($1)", {{"{a}", false, 1009}}));
    CHECK(doubtful("tenant = any('{1,2')"));
    CHECK(doubtful("name = any(array[1, 2])"));
}

TEST_CASE("A list past the bound is left to Postgres", "[router]") {
    std::string elements = "{0";
    for (std::size_t i = 1; i <= index::filter_values_max; ++i) {
        elements += ",1";
    }
    CHECK(doubtful("tenant = any('" + elements + "}')"));
}
