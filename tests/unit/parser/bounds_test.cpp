#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>
#include <pthread.h>

#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

using namespace veer::parser;

namespace {

std::string repeat(std::string_view text, std::size_t times) {
    std::string repeated;
    for (std::size_t i = 0; i < times; ++i) {
        repeated += text;
    }
    return repeated;
}

std::string search_where(const std::string& condition) {
    return "select id from t where " + condition + " order by e <-> $1 limit 5";
}

bool is_search(const std::string& description) {
    return description.starts_with("t.e <-> $1 limit 5 where");
}

/// describe_sql() on a thread with this much stack.
std::string describe_on_stack(const std::string& sql, std::size_t bytes) {
    std::pair<const std::string&, std::string> work{sql, {}};
    const auto run = [](void* argument) -> void* {
        auto& [statement, described] = *static_cast<decltype(work)*>(argument);
        described = describe_sql(statement);
        return nullptr;
    };
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
    pthread_t thread{};
    REQUIRE(pthread_create(&thread, &attributes, run, &work) == 0);
    REQUIRE(pthread_join(thread, nullptr) == 0);
    pthread_attr_destroy(&attributes);
    return work.second;
}

}  // namespace

TEST_CASE("Parentheses are followed down to the bound and no further", "[parser]") {
    CHECK(is_search(describe_sql(search_where(repeat("(", 63) + "a" + repeat(")", 63)))));
    CHECK(describe_sql(search_where(repeat("(", 65) + "a" + repeat(")", 65))) == "too_long");
    CHECK(describe_sql(search_where(repeat("array[", 65) + "a" + repeat("]", 65))) == "too_long");
    CHECK(describe_sql(repeat("(", 16'000)) == "too_long");
    CHECK(describe_sql(repeat(")", 16'000)) == "parse_error");
}

TEST_CASE("Chains are followed down to the bound and no further", "[parser]") {
    for (const auto* link : {"not ", "- ", "a and ", "a or ", "a + ", "a is null and not "}) {
        CAPTURE(link);
        CHECK(is_search(describe_sql(search_where(repeat(link, 20) + "a"))));
        CHECK(describe_sql(search_where(repeat(link, 2'000) + "a")) == "too_long");
    }
    for (const auto* link : {"+", "+-", "@+-", "-\n", "+/**/"}) {
        CAPTURE(link);  // one run of operator characters to the eye, many operators to Postgres
        CHECK(describe_sql(search_where(repeat(link, 4'000) + "a")) == "too_long");
    }
    for (const auto* link :
         {"::text", " is null", " collate c", " at time zone a", " || a", ".b"}) {
        CAPTURE(link);
        CHECK(describe_sql(search_where("a" + repeat(link, 1'000))) == "too_long");
    }
    CHECK(describe_sql("select 1, 2" + repeat(" union select 1, 2", 500)) == "too_long");
    CHECK(describe_sql("select 1" + repeat(" join t on f(a, b)", 500)) == "too_long");
}

TEST_CASE("Lists may be long, as they are not deep", "[parser]") {
    const std::string columns = "c" + repeat(", c", 1'500);
    CHECK(describe_sql("select " + columns + " from t order by e <-> $1 limit 5")
              .starts_with("t.e <-> $1 limit 5: c, c, c"));
    CHECK(is_search(describe_sql(search_where("a in (1" + repeat(",1", 3'000) + ")"))));
}

TEST_CASE("The deepest tree within the bounds fits a stack of two megabytes", "[parser]") {
    // glibc's smallest default for a thread, given where the limit of the main thread's is
    // "unlimited". Each parenthesis a subselect, and a chain of the cheapest links in the
    // innermost.
    const std::string subselects =
        repeat("(select ", 60) + repeat("~ ", 120) + "a" + repeat(")", 60);
    const std::string cases = repeat("(select case when ", 60) + "a" + repeat(" then 1 end)", 60);
    const std::string values =
        repeat("(values(- ", 31) + repeat("~ ", 100) + "a" + repeat("))", 31);
    const std::string chain = repeat("~ ", 230) + "a";
    for (const std::string& deep : {subselects, cases, values, chain}) {
        CAPTURE(deep);
        const std::string described = describe_on_stack(search_where(deep), std::size_t{2} << 20U);
        CHECK((described == "subquery" || is_search(described)));
    }
}

TEST_CASE("A text longer than inspected is refused without parsing", "[parser]") {
    CHECK(describe_sql(search_where("a = 1" + repeat(" or a = 1", 2'000))) == "too_long");
    CHECK(recognise(std::string(inspected_bytes_max + 1, ' ')) == Recognition(Refusal::too_long));
    CHECK(recognise(std::string(inspected_bytes_max, ' ')) == Recognition(Refusal::not_select));
}

TEST_CASE("A statement of a hundred thousand tokens is refused quickly", "[parser]") {
    const std::string sql = search_where("a = 'x'" + repeat(" or a = 'x'", 25'000));
    const std::clock_t begin = std::clock();  // processor time: others may be busy as well
    CHECK(describe_sql(sql) == "too_long");
    CHECK(std::clock() - begin < CLOCKS_PER_SEC);
}

TEST_CASE("More tables, outputs and keys than anybody writes are refused", "[parser]") {
    const auto of_tables = [](int count) {
        std::string from = "t0";
        for (int i = 1; i < count; ++i) {
            from += ", t" + std::to_string(i);
        }
        return describe_sql("select t0.id from " + from + " order by t0.e <-> $1 limit 5");
    };
    CHECK(of_tables(32) != "join");
    CHECK(of_tables(33) == "join");
    CHECK(of_tables(1'000) == "join");
    const auto of_outputs = [](std::size_t count) {
        return describe_sql(
            "select id" + repeat(", a", count) + " from t order by e <-> $1 limit 5"
        );
    };
    CHECK(of_outputs(1'663) != "too_long");
    CHECK(of_outputs(1'664) == "too_long");
    CHECK(
        describe_sql("select id from t order by e <-> $1" + repeat(", a", 64) + " limit 5") ==
        "too_long"
    );
}

TEST_CASE("A zero byte does not hide the rest of a statement", "[parser]") {
    std::string sql = "select id from t order by e <-> $1 limit 5";
    sql += '\0';
    sql += "; drop table t";
    CHECK(describe_sql(sql) == "parse_error");
}

TEST_CASE("Recognition works on several threads at once", "[parser]") {
    const auto work = [] {
        for (int i = 0; i < 50; ++i) {
            const Recognition known =
                recognise("select id from t order by e <-> $1 limit " + std::to_string(i));
            const Recognition broken = recognise("select id frm t order by e <-> $1 limit 5");
            if (!std::holds_alternative<NearestNeighbourQuery>(known) ||
                broken != Recognition(Refusal::parse_error)) {
                std::abort();
            }
        }
    };
    std::thread one(work);
    std::thread two(work);
    one.join();
    two.join();
    SUCCEED();
}
