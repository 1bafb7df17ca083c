#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace veer::parser;

namespace {

constexpr const char* signs = "binary_quantize(e)::bit(3) <~> binary_quantize($1)";

std::string read(
    const std::string& outputs,
    const std::string& key,
    const std::string& end,
    const std::string& around = "order by e <=> $1 limit 5",
    const std::string& shown = "*"
) {
    return describe_sql(
        "select " + shown + " from (select " + outputs + " from t order by " + key + ' ' + end +
        ") s " + around
    );
}

}  // namespace

TEST_CASE("Rows chosen by signs are searched by the order that they get", "[parser]") {
    const std::string chosen = "t.e <=> $1 limit 5 of 20 by bits 3 $1 left join t inside: *";
    CHECK(read("*", signs, "limit 20") == chosen);
    CHECK(
        read("*", "binary_quantize($1)::bit(3) <~> binary_quantize(t.e)::bit(3)", "limit 20") ==
        chosen
    );
    CHECK(
        read("id, e as v", signs, "limit $2", "order by s.v <-> $1 limit 5 offset 2") ==
        "t.e <-> $1 limit 5 offset 2 of $2 by bits 3 $1 left join t inside: id, e as v"
    );
    CHECK(
        read("*", signs, "limit 20", "order by d limit 5", "id, e <=> $1 as d") ==
        "t.e <=> $1 limit 5 by d of 20 by bits 3 $1 left join t inside: *"
    );
    CHECK(
        describe_sql(
            std::string("with c as (select * from t where a = 1 order by ") + signs +
            " limit 20) select * from c order by e <=> $1 limit 5"
        ) == "t.e <=> $1 limit 5 of 20 by bits 3 $1 left join t where inside: *"
    );
}

TEST_CASE("What is shown of rows chosen by signs may fail", "[parser]") {
    const auto shown = [](const std::string& outputs, const std::string& order = "e <=> $1") {
        return read("*", signs, "limit 20", "order by " + order + " limit 5", outputs);
    };
    const std::string chosen = "t.e <=> $1 limit 5 of 20 by bits 3 $1 left join t";
    CHECK(shown("id, e <-> $1") == chosen + " inside: *");
    CHECK(shown("id, f <-> $1") == chosen + " ! inside: *");
    CHECK(shown("id, e::halfvec(3) <-> $1") == chosen + " ! inside: *");
    CHECK(shown("id, 1 / id") == chosen + " ! inside: *");
    CHECK(
        shown("id", "e <=> $1, f <-> $1") ==
        "t.e <=> $1 limit 5 of 20 by bits 3 $1 then left join t ! inside: *"
    );
}

TEST_CASE("Rows chosen otherwise, or not all that are sorted, are not", "[parser]") {
    const std::string refused = "derived_vector";
    CHECK(read("*", std::string(signs) + ", id", "limit 20") == refused);
    CHECK(read("*", std::string(signs) + " desc", "limit 20") == refused);
    CHECK(read("*", signs, "limit 20 offset 1") == refused);
    CHECK(read("id, f as e", signs, "limit 20") == refused);
    CHECK(read("*", signs, "limit 20", "where id > 3 order by e <=> $1 limit 5") == refused);
    CHECK(read("*", signs, "limit 20", "order by id limit 5") == refused);
    CHECK(read("*", signs, "limit 20", "", "count(*)") == refused);
    CHECK(read("*", signs, "limit 20", "order by e::halfvec(3) <=> $1 limit 5") == refused);
    CHECK(
        read("*", "public.binary_quantize(e)::bit(3) <~> binary_quantize($1)", "limit 20") ==
        refused
    );
    CHECK(read("*", "binary_quantize(e) <~> binary_quantize($1)", "limit 20") == refused);
    CHECK(
        read("*", "binary_quantize(e)::bit(3) <~> binary_quantize($1)::bit(4)", "limit 20") ==
        refused
    );
    CHECK(
        describe_sql(
            std::string("select * from (select t.* from t join u using (id) order by ") +
            "binary_quantize(t.e)::bit(3) <~> binary_quantize($1) limit 20) s order by e <=> $1 "
            "limit 5"
        ) == refused
    );
    CHECK(read("*", signs, "limit 20", "order by e <=> $1") == "no_limit");
}
