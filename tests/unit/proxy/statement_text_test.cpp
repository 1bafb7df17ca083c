#include "proxy/session/statement_text.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::proxy::session {

TEST_CASE("is_plain_select accepts only a SELECT without a call", "[proxy]") {
    CHECK(is_plain_select("select a from b where c = 1;"));
    CHECK(is_plain_select("  SELECT\n* FROM t"));
    CHECK_FALSE(is_plain_select("select f(1)"));
    CHECK_FALSE(is_plain_select("selection x"));
    CHECK_FALSE(is_plain_select("insert into t values (1)"));
    CHECK_FALSE(is_plain_select("with x as (select 1) select * from x"));
    CHECK_FALSE(is_plain_select(""));
}

TEST_CASE("shown_relation knows veer's own relations only", "[proxy]") {
    CHECK(shown_relation("SHOW veer.last") == "last");
    CHECK(shown_relation(" show\tVEER.ROUTES ; ") == "routes");
    CHECK_FALSE(shown_relation("show veer.route"));
    CHECK_FALSE(shown_relation("show server_version"));
    CHECK_FALSE(shown_relation("showveer.last"));
}

TEST_CASE("mentions_veer_setting sees the prefix in any case", "[proxy]") {
    CHECK(mentions_veer_setting("SET LOCAL Veer.Route = 'auto'"));
    CHECK_FALSE(mentions_veer_setting("set search_path = veer"));
}

TEST_CASE("deallocated reads the statement's name", "[proxy]") {
    CHECK(deallocated("DEALLOCATE \"_pg3_0\"") == "_pg3_0");
    CHECK(deallocated("deallocate prepare S_1;") == "s_1");
    CHECK(deallocated("deallocate all") == "");
    CHECK(deallocated("deallocate \"a\"\"b\"") == "");
    CHECK_FALSE(deallocated("select 1"));
}

}  // namespace veer::proxy::session
