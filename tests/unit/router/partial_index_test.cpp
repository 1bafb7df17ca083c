#include "router/partial_index.hpp"

#include "parser/recognise.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <variant>

using namespace veer;
using namespace veer::router;

namespace {

/// Nothing of it is copied: that does not matter here.
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
    add("category", 23);
    add("lang", 25);
    add("Kind", 1043);
    add("archived", 16);
    add("meta", 3802);
    add("price", 1700);
    add("day", 1082);
    add("title", 1043);
    made.key = {0};
    made.vectors = {1};
    return made;
}

std::optional<index::Filter> told(const std::string& where, std::vector<ParameterValue> given) {
    const auto statement =
        parser::normalise("select id from t where " + where + " order by e <-> $9 limit 5");
    const auto recognition = parser::recognise(statement.text);
    given.resize(9);
    return said_of_rows(
        std::get<parser::NearestNeighbourQuery>(recognition).condition.value(),
        table(),
        {.parameters = given, .literals = statement.literals}
    );
}

/// Whether a search with this WHERE is about rows of an index with this predicate, as Postgres
/// writes it.
bool served(
    const std::string& predicate, const std::string& where, std::vector<ParameterValue> given = {}
) {
    std::string array = "{\"";
    for (const char c : predicate) {
        array += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    array += "\"}";
    const auto said = told(where, std::move(given));
    return serves(decode_predicates(array, table()), said ? &*said : nullptr);
}

}  // namespace

TEST_CASE("A predicate is implied by itself", "[router]") {
    CHECK(served("(category = 3)", "category = 3"));
    CHECK(served("(lang = 'en'::text)", "lang = 'en'"));
    CHECK(served("(lang = 'it''s'::text)", "lang = 'it''s' and category = 3"));
    CHECK(served("((\"Kind\")::text = 'a'::text)", "\"Kind\" = 'a'"));
    CHECK(served("(NOT archived)", "not archived"));
    CHECK(served("(NOT archived)", "archived = false"));
    CHECK(served("(e IS NOT NULL)", "e is not null and category > 5"));
    CHECK(served("(price IS NOT NULL)", "price is not null"));
    CHECK(served("((meta ->> 'lang'::text) = 'en'::text)", "meta->>'lang' = 'en'"));
    CHECK(served("(meta @> '{\"a\": 1}'::jsonb)", "meta @> '{\"a\": 1}'"));
    CHECK(served("(category = ANY (ARRAY[3, 4]))", "category in (4, 3)"));
    CHECK(served("(day >= '2024-01-01'::date)", "day >= '2024-01-01'"));
    CHECK(served("((category = 3) AND (NOT archived))", "not archived and category = 3"));
    CHECK_FALSE(served("(NOT archived)", "archived is not true"));
    CHECK(served("((title)::text = 'a'::text)", "title = 'a'"));
}

TEST_CASE("A predicate is implied by what is narrower", "[router]") {
    CHECK(served("(category = ANY (ARRAY[3, 4]))", "category = 4"));
    CHECK(served("(category > 3)", "category between 5 and 9"));
    CHECK(served("(day >= '2024-01-01'::date)", "day = '2024-02-01'"));
    CHECK(served("(category IS NOT NULL)", "category = 3"));
    CHECK(served("(category < 5)", "category = 3 or category = 4 and lang = 'en'"));
    const std::vector<ParameterValue> three{{.bytes = "3"}};
    CHECK(served("(category = 3)", "category = $1", three));
    CHECK_FALSE(served("(category = 4)", "category = $1", three));
}

TEST_CASE("Where a predicate is not implied, or not read, Postgres answers", "[router]") {
    CHECK_FALSE(served("(category = 3)", "category = 4"));
    CHECK_FALSE(served("(category = 3)", "category = 3 or lang = 'en'"));
    CHECK_FALSE(served("(category > 5)", "category > 3"));
    CHECK_FALSE(served("(lang = 'en'::text)", "lang = 'EN'"));
    CHECK_FALSE(served("(lang = '::text'::text)", "lang = ''"));
    CHECK(served("(lang = '::text'::text)", "lang = '::text'"));
    CHECK_FALSE(served("(lang = '(\"Kind\")::text'::text)", "lang = '(\"Kind\")'"));
    CHECK_FALSE(served("(lower(lang) = 'en'::text)", "lower(lang) = 'en'"));
    CHECK_FALSE(served("(price > (10)::numeric)", "price > 10"));
    CHECK_FALSE(served("(e IS NOT NULL)", "category = 3"));
    CHECK_FALSE(served("((category)::text = '03'::text)", "category = 3"));
    CHECK_FALSE(serves(decode_predicates("{\"(category = 3)\"}", table()), nullptr));
}

TEST_CASE("One of several partial indexes is enough, and one of all rows", "[router]") {
    const auto said = told("category = 4", {});
    REQUIRE(said);
    const char* two = "{\"(category = 3)\",\"(category = 4)\"}";
    CHECK(serves(decode_predicates(two, table()), &*said));
    CHECK_FALSE(serves(decode_predicates("{\"(category = 3)\"}", table()), &*said));
    CHECK(serves(decode_predicates("", table()), nullptr));
    CHECK_FALSE(serves(decode_predicates(std::nullopt, table()), &*said));
    CHECK_FALSE(serves(decode_predicates("no array", table()), &*said));
}
