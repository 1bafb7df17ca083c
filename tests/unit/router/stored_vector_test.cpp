#include "router/stored_vector.hpp"

#include "parser/recognise.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

namespace {

parser::NearestNeighbourQuery recognised(const std::string& vector) {
    const auto recognition =
        parser::recognise("SELECT id FROM docs ORDER BY e <=> " + vector + " LIMIT 5");
    REQUIRE(std::holds_alternative<parser::NearestNeighbourQuery>(recognition));
    return std::get<parser::NearestNeighbourQuery>(recognition);
}

Route route() {
    Route made;
    made.column.table.columns = {
        {.name = "id", .type_oid = 20}, {.name = "e", .type_oid = 16385, .typmod = 2}};
    made.column.table.key = {0};
    made.column.table.vectors = {1};
    made.column.table.copied = {0};
    return made;
}

constexpr ParameterValue text{.bytes = "7", .binary = false, .declared_type = 0};
constexpr ParameterValue binary{.bytes = "\1\2\3\4", .binary = true, .declared_type = 0};
constexpr ParameterValue typed{.bytes = "\1\2\3\4", .binary = true, .declared_type = 23};

}  // namespace

TEST_CASE(
    "the question is the sub-select, with its type, and mentions all parameters", "[router]"
) {
    const std::string sub = "(SELECT e FROM docs WHERE id = $2)";
    const std::string question = stored_vector_query(sub, std::vector{text, text, binary, typed});
    CHECK(
        question.find("(SELECT " + sub + " AS v OFFSET 0) AS s WHERE ($1::") != std::string::npos
    );
    CHECK(question.find("$3::pg_catalog.bytea IS NULL") != std::string::npos);
    CHECK(question.find("$4") == std::string::npos);
}

TEST_CASE("a binary value of an inferred type must not stand elsewhere, too", "[router]") {
    const std::string sub = "(SELECT e FROM docs WHERE id = $1)";
    const auto otherwise = [&](const std::string& condition, const ParameterValue& value) {
        const std::string sql =
            "SELECT id FROM docs " + condition + " ORDER BY e <=> " + sub + " LIMIT 5";
        const auto recognition = parser::recognise(sql);
        const auto& query = std::get<parser::NearestNeighbourQuery>(recognition);
        return may_be_inferred_otherwise(sql, sub, *query.vector.stored, std::vector{value});
    };
    CHECK(otherwise("WHERE price <> $1", binary));
    CHECK(otherwise("WHERE id <> $1 AND price <> $1", binary));
    CHECK(otherwise("WHERE id <> $1::int8", binary));
    CHECK(otherwise("WHERE price <> $1", text));  // a date here may be a timestamp there
    CHECK_FALSE(otherwise("WHERE price <> $1", typed));
    CHECK_FALSE(otherwise("WHERE id <> $1", binary));
    CHECK_FALSE(otherwise("WHERE id NOT IN (5, $1) AND a = 3", binary));
    CHECK_FALSE(otherwise("", binary));
}

TEST_CASE("only a row of the searched table by its key is had without an error", "[router]") {
    const auto surely = [](const std::string& vector, const ParameterValue& value = text) {
        const std::vector parameters{value};
        return surely_answered(
            recognised(vector), route(), {.parameters = parameters, .literals = {}}
        );
    };
    CHECK(surely("(SELECT e FROM docs WHERE id = $1)"));
    CHECK(surely("(SELECT d.e FROM docs d WHERE 7 = d.id LIMIT 1)"));
    CHECK_FALSE(surely("(SELECT e FROM docs WHERE id = $1)", {.bytes = "abc"}));
    CHECK_FALSE(surely("(SELECT e FROM docs WHERE id = $1)", {.bytes = "99999999999999999999"}));
    CHECK_FALSE(surely("(SELECT e FROM docs WHERE id > $1)"));
    CHECK_FALSE(surely("(SELECT e FROM docs WHERE title = $1)"));
    CHECK_FALSE(surely("(SELECT f FROM docs WHERE id = $1)"));
    CHECK_FALSE(surely("(SELECT e FROM other WHERE id = $1)"));
    CHECK_FALSE(surely("(SELECT e FROM s.docs WHERE id = $1)"));
}

TEST_CASE("what is no vector of the column's type and dimensions is no query vector", "[router]") {
    const auto query = recognised("(SELECT e FROM docs WHERE id = 7)");
    const auto answer = [&](std::optional<std::string_view> value, std::string_view type) {
        return stored_vector(query, route(), {value, type, "0/1000"});
    };
    const auto reason_of = [](const std::variant<storage::Vector, Reason>& given) {
        const auto* const why = std::get_if<Reason>(&given);
        return why == nullptr ? Reason("none") : *why;
    };
    const auto found = answer("[1,2]", "16385");
    CHECK(std::get<storage::Vector>(found) == storage::Vector(std::vector<float>{1, 2}));
    CHECK(reason_of(answer(std::nullopt, "16385")) == reason::vector_value);
    CHECK(reason_of(answer("[0,0]", "16385")) == reason::vector_value);
    CHECK(reason_of(answer("[1,2,3]", "16385")) == reason::dimensions);
    CHECK(reason_of(answer("[1,2]", "16391")) == reason::vector_type);
}

}  // namespace veer::router
