#include "router/notice.hpp"

#include "parser/statement.hpp"
#include "router/route.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::router {

TEST_CASE("each refusal of the parser is explained in a sentence", "[router]") {
    for (int code = 0; code <= static_cast<int>(parser::Refusal::limit_form); ++code) {
        const Reason why = to_string(static_cast<parser::Refusal>(code));
        CAPTURE(why);
        CHECK(explanation(why).ends_with('.'));
    }
    CHECK(explanation("nobody's").empty());
}

TEST_CASE("a notice says who, why, and on which route", "[router]") {
    Route route;
    route.name = "public.docs.e <->";
    route.traffic->set(cutover::State::canary, 12.5, cutover::Cause::none);
    const Notice local = notice_of_search(reason::local, &route);
    CHECK(local.message == "veer answered this search from its index (local)");
    CHECK(
        local.detail ==
        "All that is asked for is in the copy. Route public.docs.e <->, share 12.5 %."
    );
    const Notice refused = notice_of_search("no_limit", nullptr);
    CHECK(refused.message == "veer left this search to PostgreSQL (no_limit)");
    CHECK(refused.detail == "It has no LIMIT.");
    CHECK(
        notice_of_explain(reason::rewrite, &route).message ==
        "veer would answer this search from its index (rewrite)"
    );
    CHECK(
        notice_of_explain(reason::row_security, &route).message ==
        "veer would leave this search to PostgreSQL (row_security)"
    );
    CHECK(notice_of_search("nobody's", &route).detail == "Route public.docs.e <->, share 12.5 %.");
}

TEST_CASE("what a session wants to hear is read as Postgres writes it", "[router]") {
    CHECK(decode_notice_settings({"notice", "on"}) == NoticeSettings{true, true});
    CHECK(decode_notice_settings({"debug5", "TRUE"}) == NoticeSettings{true, true});
    CHECK(decode_notice_settings({"log", "off"}) == NoticeSettings{true, false});
    CHECK(decode_notice_settings({"notice", std::nullopt}) == NoticeSettings{true, false});
    CHECK(decode_notice_settings({"warning", "1"}) == NoticeSettings{false, true});
    CHECK(decode_notice_settings({"error", ""}) == NoticeSettings{false, false});
    CHECK(decode_notice_settings({std::nullopt, "on"}) == NoticeSettings{});
    CHECK(decode_notice_settings({}) == NoticeSettings{});
}

}  // namespace veer::router
