#include "proxy/session/statement_text.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::proxy::session {

TEST_CASE("is_plain_select accepts only a SELECT of constants", "[proxy]") {
    CHECK(is_plain_select("select 1;"));
    CHECK(is_plain_select("  SELECT\n'a' AS b"));
    CHECK_FALSE(is_plain_select("select * from a_view_that_writes"));
    CHECK_FALSE(is_plain_select("select 1 into temp docs"));
    CHECK_FALSE(is_plain_select("select f(1)"));
    CHECK_FALSE(is_plain_select("selection x"));
    CHECK_FALSE(is_plain_select("insert into t values (1)"));
    CHECK_FALSE(is_plain_select("with x as (select 1) select * from x"));
    CHECK_FALSE(is_plain_select(""));
}

TEST_CASE("shown_relation knows veer's own relations only", "[proxy]") {
    CHECK(shown_relation("SHOW veer.last") == "last");
    CHECK(shown_relation(" show\tVEER.ROUTES ; ") == "routes");
    CHECK(shown_relation("show veer.reasons") == "reasons");
    CHECK_FALSE(shown_relation("show veer.route"));
    CHECK(
        shown_relation("SHOW veer.report_json SINCE '2026-05-04T14:22:07.114Z'") ==
        "report_json since 2026-05-04t14:22:07.114z"
    );
    CHECK_FALSE(shown_relation("SHOW veer.report SINCE '1h'"));
    CHECK_FALSE(shown_relation("SHOW veer.report SINCE 2026-05-04T14:22:07Z"));
    CHECK_FALSE(shown_relation("SHOW veer.routes SINCE '2026-05-04T14:22:07Z'"));
    CHECK_FALSE(shown_relation("show server_version"));
    CHECK_FALSE(shown_relation("showveer.last"));
}

TEST_CASE("mentions_veer_setting sees the prefix in any case", "[proxy]") {
    CHECK(mentions_veer_setting("SET LOCAL Veer.Route = 'auto'"));
    CHECK_FALSE(mentions_veer_setting("set search_path = veer"));
}

}  // namespace veer::proxy::session
