#include "parser/condition.hpp"

#include "parser/normalise.hpp"
#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

std::string describe(const Operand& operand) {
    std::string text = "null";
    if (const auto* const number = std::get_if<std::int64_t>(&operand.value)) {
        text = std::to_string(*number);
    } else if (const auto* const truth = std::get_if<bool>(&operand.value)) {
        text = *truth ? "true" : "false";
    } else if (const auto* const argument = std::get_if<Argument>(&operand.value)) {
        text = veer::parser::describe(*argument);
    } else if (const auto* const constant = std::get_if<std::string>(&operand.value)) {
        text = '"' + *constant + '"';
    }
    text += operand.type.empty() ? "" : "::" + operand.type;
    return text + (operand.alone ? "" : "*");
}

std::string list(const Condition& condition) {
    std::string text;
    for (const Operand& operand : condition.operands) {
        text += (text.empty() ? "" : ", ") + describe(operand);
    }
    return text;
}

std::string describe(const Condition& condition) {
    using Kind = Condition::Kind;
    constexpr std::string_view symbols[] = {"=", "<>", "<", "<=", ">", ">="};
    std::string children;
    for (const Condition& child : condition.children) {
        children += (children.empty() ? "" : ", ") + describe(child);
    }
    const std::string column =
        condition.column +
        (condition.member ? "->>" + veer::parser::describe(*condition.member) : "");
    const std::string operands = condition.elements ? '[' + list(condition) + ']' : list(condition);
    switch (condition.kind) {
        case Kind::opaque:
            return "?";
        case Kind::all_of:
            return "all(" + children + ')';
        case Kind::any_of:
            return "any(" + children + ')';
        case Kind::negation:
            return "not(" + children + ')';
        case Kind::compare:
            return column + ' ' +
                   std::string(symbols[static_cast<std::size_t>(condition.comparison)]) + ' ' +
                   list(condition);
        case Kind::one_of:
            return column + " in (" + list(condition) + ')';
        case Kind::one_of_array:
            return column + " = any " + list(condition);
        case Kind::is_null:
            return column + " null";
        case Kind::is_true:
            return condition.column;
        case Kind::contains:
            return column + " has " + operands;
        case Kind::overlaps:
            return column + " meets " + operands;
    }
    return "";
}

std::string where(std::string_view condition) {
    const NormalisedStatement statement = normalise(
        "select id from s.t where " + std::string(condition) + " order by e <=> $9 limit 5"
    );
    const Recognition recognition = recognise(statement.text);
    const auto* const query = std::get_if<NearestNeighbourQuery>(&recognition);
    if (query == nullptr) {
        return veer::parser::describe(recognition);
    }
    return query->condition ? describe(*query->condition) : "none";
}

}  // namespace

TEST_CASE("Comparisons of a column with a value are read, either way round", "[parser]") {
    CHECK(where("a = 1") == "a = 1");
    CHECK(where("1 < a") == "a > 1");
    CHECK(where("t.a <> -5") == "a <> -5");
    CHECK(where("s.t.a != 3000000000") == "a <> 3000000000");
    CHECK(where("a >= $1") == "a >= $1");
    CHECK(where("$2::int8 >= a") == "a <= $2::int8");
    CHECK(where("a = 'x'") == "a = '0");
    CHECK(where("\"A b\" = cast('x' as text)") == "A b = '0::text");
    CHECK(where("a = true") == "a = true");
    CHECK(where("a = null") == "a = null");
    CHECK(where("a between 1 and $1") == "all(a >= 1, a <= $1)");
    CHECK(where("a not between 1 and 2") == "not(all(a >= 1, a <= 2))");
}

TEST_CASE("Lists, arrays, NULL tests and booleans are read", "[parser]") {
    CHECK(where("a in (1, $1, 'x', null)") == "a in (1, $1, '0, null)");
    CHECK(where("a not in (1)") == "not(a in (1))");
    CHECK(where("a = any($1)") == "a = any $1");
    CHECK(where("a = any($1::int4[])") == "a = any $1::int4[]");
    CHECK(where("a = any('{1,2}')") == "a = any '0");
    CHECK(where("a = any(array[1, 2])") == "a = any '0");
    CHECK(where("a <> all($1)") == "not(a = any $1)");
    CHECK(where("a is null") == "a null");
    CHECK(where("a is not null") == "not(a null)");
    CHECK(where("a") == "a");
    CHECK(where("not a or b") == "any(not(a), b)");
    CHECK(where("a is true") == "all(not(a null), a)");
    CHECK(where("a is not true") == "any(a null, not(a))");
    CHECK(where("a is not false") == "any(a null, a)");
    CHECK(where("a is unknown") == "?");
}

TEST_CASE("Members of jsonb and elements of arrays are read", "[parser]") {
    CHECK(where("a->>'k' = 'v'") == "a->>'0 = '1");
    CHECK(where("'v' <> t.a ->> 'k'") == "a->>'1 <> '0");
    CHECK(where("a->>'k' in ('v', $1)") == "a->>'0 in ('1, $1)");
    CHECK(where("a->>'k' = any($1)") == "a->>'0 = any $1");
    CHECK(where("a->>'k' is not null") == "not(a->>'0 null)");
    CHECK(where("a @> '{\"k\": 1}'::jsonb") == "a has '0::jsonb");
    CHECK(where("$1 <@ a") == "a has $1");
    CHECK(where("a @> array['x']") == "a has [\"x\"]");
    CHECK(where("a && array['x', 'y']") == "a meets [\"x\", '0]");
    CHECK(where("a && array['x']::text[]") == "a meets [\"x\"]");
    CHECK(where("array[1, 2] && a") == "a meets '0");
    CHECK(where("a && '{x}'::text[]") == "a meets '0::text[]");
    for (const char* const text :
         {"a->>0 = 'v'",
          "a->>$1 = 'v'",
          "a->'k' = 'v'",
          "a->'k'->>'l' = 'v'",
          "a->>'k'",
          "(a->>'k')::int = 1",
          "a->>'k' = b->>'k'",
          "a->>'k' @> 'v'",
          "a && b",
          "a @> array[$1]",
          "a @> array['x', null]",
          "a @> array['x', 'y']::varchar[]",
          "a OPERATOR(s.@>) 'x'",
          "a <@ '{x}'"}) {
        CHECK(where(text) == "?");
    }
}

TEST_CASE("What only Postgres can tell is opaque, the rest is not", "[parser]") {
    CHECK(where("a = 1 and name like 'x%'") == "all(a = 1, ?)");
    CHECK(where("a = b") == "?");
    CHECK(where("a + 1 = 2") == "?");
    CHECK(where("a = 1.5") == "?");
    CHECK(where("lower(a) = 'x'") == "?");
    CHECK(where("a = 'x'::varchar(2)") == "?");
    CHECK(where("a < any($1)") == "?");
    CHECK(where("a = all($1)") == "?");
    CHECK(where("a operator(pg_catalog.=) 1") == "?");
    CHECK(where("(a, b) = (1, 2)") == "?");
    CHECK(where("(a = 1) is true") == "?");
    CHECK(where("a between symmetric 2 and 1") == "?");
    CHECK(where("a in (1, b)") == "?");
}

TEST_CASE("A parameter that stands elsewhere, too, is marked", "[parser]") {
    CHECK(where("a = $1 and b = $1") == "all(a = $1*, b = $1*)");
    CHECK(where("a = $1 and b = $2") == "all(a = $1, b = $2)");
    CHECK(where("a = $9") == "a = $9*");  // the vector
}
