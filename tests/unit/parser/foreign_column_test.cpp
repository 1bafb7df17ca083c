#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace veer::parser;

namespace {

Recognition by(std::string_view expression) {
    return recognise(
        normalise("SELECT id FROM s.t ORDER BY " + std::string(expression) + " <=> $1 LIMIT 5").text
    );
}

std::string cast_of(const std::string& column, const ColumnCast& cast) {
    std::string text = column;
    if (cast.to_vector) {
        text += cast.through_text ? " by text to " : " to ";
        text += (cast.type_schema ? *cast.type_schema + '.' : "") + "vector";
    }
    if (cast.to_half) {
        text += " to " + (cast.type_schema ? *cast.type_schema + '.' : "") + "halfvec";
    }
    return cast.typmod ? text + '(' + std::to_string(*cast.typmod) + ')' : text;
}

std::string searched(std::string_view expression) {
    const Recognition recognition = by(expression);
    const auto* const query = std::get_if<NearestNeighbourQuery>(&recognition);
    if (query == nullptr) {
        return describe(recognition);
    }
    const std::string column = cast_of(query->column, query->cast);
    return query->legacy ? column + " or " + cast_of(query->legacy->column, query->legacy->cast)
                         : column;
}

bool may_raise(std::string_view statement) {
    const Recognition recognition = recognise(normalise(statement).text);
    INFO(describe(recognition));
    REQUIRE(std::holds_alternative<NearestNeighbourQuery>(recognition));
    return std::get<NearestNeighbourQuery>(recognition).may_raise;
}

}  // namespace

TEST_CASE("A column may be cast to vector", "[parser]") {
    CHECK(searched("e") == "e");
    CHECK(searched("e::vector") == "e to vector");
    CHECK(searched("(t.e)::vector(3)") == "e to vector(3)");
    CHECK(searched("CAST(s.t.E AS ext.vector)") == "e to ext.vector");
    CHECK(searched("e::text::vector(3)") == "e by text to vector(3)");
    CHECK(searched("e::pg_catalog.text::vector") == "e by text to vector");
    CHECK(describe_sql("SELECT id FROM t ORDER BY $1 <-> e::vector LIMIT 5").starts_with("t.e <->")
    );
}

TEST_CASE("A column may be cast to halves of so many dimensions", "[parser]") {
    CHECK(searched("e::halfvec(3)") == "e to halfvec(3)");
    CHECK(searched("CAST(s.t.e AS public.halfvec(4000))") == "e to public.halfvec(4000)");
    CHECK_FALSE(
        may_raise("SELECT id, 1 - (e::halfvec(2) <=> $1) FROM t WHERE e::halfvec(2) <=> $1 < 1 "
                  "ORDER BY e::halfvec(2) <=> $1 LIMIT 5")
    );
    CHECK(may_raise("SELECT e::halfvec(2) <=> $1 FROM t ORDER BY e <=> $1 LIMIT 5"));
    CHECK(may_raise(
        "SELECT id FROM t WHERE f::halfvec(2) <=> $1 < 1 ORDER BY e::halfvec(2) <=> $1 LIMIT 5"
    ));
    CHECK(
        may_raise(
            "SELECT id, e <=> $2 FROM t WHERE e <=> $2 < 1 ORDER BY e::halfvec(2) <=> $1 LIMIT 5"
        ) == false
    );
}

TEST_CASE("Two columns may be coalesced", "[parser]") {
    CHECK(searched("coalesce(a, b)") == "a or b");
    CHECK(searched("COALESCE(t.a, t.b::vector)") == "a or b to vector");
    CHECK(
        searched("coalesce(a::vector, b::text::vector(3))") ==
        "a to vector or b by text to vector(3)"
    );
}

TEST_CASE("Other expressions of columns are no distance", "[parser]") {
    for (const std::string_view expression :
         {"e::halfvec",
          "e::vector[]",
          "e::varchar::vector",
          "e::text[]::vector",
          "e::text::text::vector",
          "e::vector(0)",
          "e::vector(16001)",
          "upper(e)::vector",
          "(e || '')::vector",
          "coalesce(a)",
          "coalesce(a, b, c)",
          "coalesce(a, b)::vector",
          "coalesce(a, NULL)",
          "coalesce(a, '[1]'::vector)",
          "nullif(a, b)",
          "x.e::vector"}) {
        CAPTURE(expression);
        CHECK(searched(expression) == "no_distance_order");
    }
}

TEST_CASE("A distance of another expression is no distance of the search", "[parser]") {
    const auto output = [](const std::string& expression) {
        return describe_sql(
            "SELECT " + expression +
            " <-> $1 AS d FROM t ORDER BY coalesce(a, b::vector) <-> $1 LIMIT 5"
        );
    };
    CHECK(output("coalesce(a, b::vector)").ends_with(": dist d $1"));
    CHECK(output("coalesce(a, b::vector(3))").ends_with(": expr d"));
    CHECK(output("a").ends_with(": expr d"));
    CHECK(output("b::vector").ends_with(": expr d"));
}

TEST_CASE("The cast of the search is not what may fail, any other is", "[parser]") {
    CHECK_FALSE(may_raise("SELECT e::vector <-> $1 FROM t ORDER BY e::vector <-> $1 LIMIT 5"));
    CHECK_FALSE(
        may_raise("SELECT id FROM t WHERE e::vector <-> $1 < 2 ORDER BY e::vector <-> $1 LIMIT 5")
    );
    CHECK_FALSE(
        may_raise("SELECT coalesce(a, b::vector) <-> $1 FROM t"
                  " ORDER BY coalesce(a, b::vector) <-> $1 LIMIT 5")
    );
    CHECK(may_raise("SELECT e::vector FROM t ORDER BY e::vector <-> $1 LIMIT 5"));
    CHECK(may_raise("SELECT f::vector <-> $1 FROM t ORDER BY e::vector <-> $1 LIMIT 5"));
    CHECK(may_raise("SELECT coalesce(a, b::vector) <-> $1 FROM t ORDER BY a <-> $1 LIMIT 5"));
}
