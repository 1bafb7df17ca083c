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

TEST_CASE("concerns_portal finds the name as a word, and what is about all", "[proxy]") {
    CHECK(concerns_portal("fetch 3 from \"C_1\"", "C_1"));
    CHECK(concerns_portal("FETCH 3 FROM c_1", "C_1"));
    CHECK(concerns_portal("SELECT f('C_1')", "C_1"));
    CHECK(concerns_portal("SELECT f($$C_1$$)", "C_1"));
    CHECK(concerns_portal("FETCH U&\"\\0043_1\"", "C_1"));
    CHECK(concerns_portal("FETCH \"a\"\"b\"", "a\"b"));
    CHECK(concerns_portal("close  all", "C_1"));
    CHECK(concerns_portal("SELECT * FROM pg_cursors", "C_1"));
    CHECK(concerns_portal("COMMIT AND CHAIN", "C_1"));
    CHECK(concerns_portal("SET NAMES 'LATIN1'", "C_1"));
    CHECK(concerns_portal("RESET ALL", "C_1"));
    CHECK_FALSE(concerns_portal("FETCH 3 FROM C_11", "C_1"));
    CHECK_FALSE(concerns_portal("FETCH 3 FROM other", "C_1"));
    CHECK_FALSE(concerns_portal("UPDATE t SET fetched_at = 1, closed = TRUE, cursor = 'all'", "C_1")
    );
    CHECK_FALSE(concerns_portal("SELECT 1", ""));
}

TEST_CASE("deallocated_name is the one statement that a text deallocates", "[proxy]") {
    CHECK(deallocated_name("DEALLOCATE s_1") == "s_1");
    CHECK(deallocated_name(" deallocate  Prepare \n S$ ; ") == "s$");
    CHECK(deallocated_name("DEALLOCATE \"S 1\"") == "S 1");
    CHECK(deallocated_name("DEALLOCATE prepare") == "prepare");
    for (const char* text :
         {"DEALLOCATE ALL",
          "DEALLOCATE",
          "DEALLOCATE a; DEALLOCATE b",
          "DEALLOCATE \"a\"\"b\"",
          "DEALLOCATE /* b */ a",
          "DEALLOCATE a -- b",
          "DEALLOCATE U&\"a\"",
          "DEALLOCATE \xc3\x84",
          "DEALLOCATE 1a",
          "DO 'BEGIN EXECUTE ''DEALLOCATE s''; END'"}) {
        CAPTURE(text);
        CHECK_FALSE(deallocated_name(text));
    }
    CHECK_FALSE(deallocated_name("DEALLOCATE " + std::string(64, 'a')));
}

TEST_CASE("may_use_portals is true of what runs later and names a portal", "[proxy]") {
    CHECK(may_use_portals("FETCH 3 FROM c"));
    CHECK(may_use_portals("/* it's */ -- \n move c"));
    CHECK(may_use_portals("/* a /* b */ SELECT */ CLOSE c"));
    CHECK(may_use_portals("UPDATE t SET a = 1 WHERE CURRENT OF c"));
    CHECK(may_use_portals("DO $$ DECLARE c CURSOR FOR SELECT 1; BEGIN END $$"));
    CHECK(may_use_portals("SELECT set_config('extra_float_digits', '0', false)"));
    CHECK_FALSE(may_use_portals("SELECT open, close FROM prices FETCH FIRST $1 ROWS ONLY"));
    CHECK_FALSE(may_use_portals("(SELECT move FROM t)"));
    CHECK_FALSE(may_use_portals("BEGIN"));
}

}  // namespace veer::proxy::session
