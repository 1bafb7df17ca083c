#include "parser/explain.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

namespace veer::parser {

namespace {

/// What an EXPLAIN is about; "none" where the text is none.
std::string explained(std::string_view sql) {
    const auto position = explained_position(sql);
    return position ? std::string(sql.substr(*position)) : "none";
}

}  // namespace

TEST_CASE("EXPLAIN's options are skipped in all their forms", "[parser]") {
    CHECK(explained("EXPLAIN SELECT 1") == "SELECT 1");
    CHECK(explained("explain analyze select 1") == "select 1");
    CHECK(explained("Explain Analyse Verbose SELECT 1") == "SELECT 1");
    CHECK(explained("EXPLAIN VERBOSE SELECT 1") == "SELECT 1");
    CHECK(explained("EXPLAIN (COSTS off, FORMAT json) SELECT (1)") == "SELECT (1)");
    CHECK(explained("EXPLAIN(ANALYZE)SELECT 1") == "SELECT 1");
    CHECK(explained("/* ( */ EXPLAIN -- )\n (ANALYZE /* ) */) SELECT ')'") == "SELECT ')'");
    CHECK(explained("EXPLAIN (\"costs\" ')', x (y)) SELECT 1") == "SELECT 1");
}

TEST_CASE("what is no EXPLAIN, or one of nothing, is not taken for one", "[parser]") {
    CHECK(explained("SELECT 1") == "none");
    CHECK(explained("\"explain\" SELECT 1") == "none");
    CHECK(explained("explaining SELECT 1") == "none");
    CHECK(explained("EXPLAIN") == "none");
    CHECK(explained("EXPLAIN ANALYZE") == "none");
    CHECK(explained("EXPLAIN (SELECT 1)") == "none");
    CHECK(explained("EXPLAIN (COSTS off") == "none");
    CHECK(explained("") == "none");
    CHECK(explained("EXPLAIN '") == "none");
}

}  // namespace veer::parser
