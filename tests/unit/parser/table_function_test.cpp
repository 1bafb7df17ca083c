#include "parser/table_function.hpp"

#include "parser/normalise.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

namespace veer::parser {

namespace {

/// "none", "named" (but not one item of FROM), or the call and what is chosen of its rows.
std::string read(std::string_view sql) {
    const NormalisedStatement statement = normalise(sql);
    const auto function = read_table_function(statement.text);
    if (!function) {
        return "none";
    }
    if (!function->call) {
        return "named";
    }
    const std::size_t begin = statement.original_position(function->call->begin);
    const std::size_t end = statement.original_position(function->call->end);
    std::string found = '[' + std::string(sql.substr(begin, end - begin)) + ']';
    if (!function->chosen) {
        return found;
    }
    for (const auto& [column, label] : *function->chosen) {
        found += ' ' + column + (label == column ? "" : '=' + label);
    }
    return found;
}

}  // namespace

TEST_CASE("A table function of veer's own is found wherever it stands in FROM", "[parser]") {
    CHECK(
        read("SELECT id, s.distance AS d FROM veer.search('docs', $1, 5) AS s") ==
        "[veer.search('docs', $1, 5) AS s] id distance=d"
    );
    CHECK(
        read("select * from Ruvector_Search('docs', '[1,2]') ; ") ==
        "[Ruvector_Search('docs', '[1,2]')] *"
    );
    CHECK(
        read("SELECT id FROM \"veer\".\"search\"('a', $1)") == "[\"veer\".\"search\"('a', $1)] id"
    );
    CHECK(read("SELECT id FROM veer . search('a', $1)") == "[veer . search('a', $1)] id");
    CHECK(read("SELECT id FROM veer.search('a', $1) WHERE id > 3") == "[veer.search('a', $1)]");
    CHECK(read("SELECT id FROM veer.search('a', $1) LIMIT 3") == "[veer.search('a', $1)]");
    CHECK(read("SELECT id + 1 FROM veer.search('a', $1)") == "[veer.search('a', $1)]");
    CHECK(read("SELECT s FROM veer.search('a', $1) s") == "[veer.search('a', $1) s]");
    CHECK(
        read("SELECT d.* FROM docs d JOIN veer.search('a', $1) s USING (id)") ==
        "[veer.search('a', $1) s]"
    );
    CHECK(read("INSERT INTO t SELECT id FROM veer.search('a', $1)") == "[veer.search('a', $1)] id");
    CHECK(
        read("EXPLAIN WITH x AS (SELECT * FROM veer.search('a', $1)) SELECT * FROM x") ==
        "[veer.search('a', $1)] *"
    );
    CHECK(
        read("SELECT 1 WHERE 2 IN (SELECT id FROM veer.search('a', $1))") ==
        "[veer.search('a', $1)] id"
    );
    for (const char* const text :
         {"SELECT id FROM t UNION SELECT id FROM veer.search('a', $1)",
          "(SELECT id FROM veer.search('a', $1)) UNION SELECT 3",
          "SELECT * FROM (SELECT 3 UNION ALL SELECT id FROM veer.search('a', $1)) x",
          "SELECT ALL id FROM veer.search('a', $1)",
          "CREATE TABLE t AS SELECT id FROM veer.search('a', $1) WITH NO DATA"}) {
        CAPTURE(text);
        CHECK(read(text) == "[veer.search('a', $1)]");
    }
}

TEST_CASE("What cannot stand for a SELECT is named, and no more", "[parser]") {
    CHECK(read("SELECT veer.search('a', $1)") == "named");
    CHECK(read("SELECT * FROM veer.search('a', (SELECT e FROM t))") == "named");
    CHECK(read("SELECT * FROM veer.search('a', $1) WITH ORDINALITY") == "named");
    CHECK(read("SELECT * FROM veer.search('a', $1), veer.search('a', $2)") == "named");
    CHECK(read("SELECT * FROM t, LATERAL veer.search('a', t.e)") == "named");
    CHECK(read("SELECT * FROM veer.search('a', $1) AS s(a, b)") == "named");
    CHECK(read("BEGIN; SELECT * FROM veer.search('a', $1)") == "named");
    CHECK(read("SELECT 1 FROM veer.search('a', $1); SELECT 2") == "named");
}

TEST_CASE("Other texts are none", "[parser]") {
    CHECK(read("SELECT 'veer.search(1)'") == "none");
    CHECK(read("SELECT 1 /* veer.search() */") == "none");
    CHECK(read("SELECT * FROM veer.searched('a')") == "none");
    CHECK(read("SELECT * FROM other.ruvector_search('a')") == "none");
    CHECK(read("SELECT * FROM veer.search('a'") == "none");
    CHECK(read("SELECT 1; SELECT 'veer.search(1)'") == "none");
    CHECK_FALSE(may_name_table_function("SELECT id FROM docs ORDER BY vec <=> $1 LIMIT 5"));
    CHECK(may_name_table_function("select RUVECTOR_SEARCH(1)"));
    CHECK(may_name_table_function("VEER.SEARCH"));
    CHECK_FALSE(may_name_table_function("SELECT \"veer\", \"search\" FROM veer"));
}

}  // namespace veer::parser
