#include "storage/sync/verify_desk.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>

using namespace veer::storage;
using namespace veer::storage::sync;

namespace {

using Verdicts = std::vector<TableVerdict>;

/// Takes one answer.
struct Asker {
    std::optional<Verdicts> answer;

    VerifyDone done() {
        return [this](Verdicts verdicts) {
            CHECK_FALSE(answer.has_value());
            answer = std::move(verdicts);
        };
    }
};

const VerifyDesk::Clock::time_point long_ago;

}  // namespace

TEST_CASE("Where nobody compares, a question is answered at once", "[storage]") {
    VerifyDesk desk;
    Asker asker;
    desk.ask({}, asker.done());
    REQUIRE(asker.answer.has_value());
    CHECK(asker.answer->front().trouble == "The copy is not being followed yet.");
}

TEST_CASE("Questions are answered one after the other, and each once", "[storage]") {
    VerifyDesk desk;
    Asker first;
    Asker second;
    desk.open();
    CHECK_FALSE(desk.next(long_ago).has_value());
    desk.ask({TableOid{7}, 0}, first.done());
    desk.ask({}, second.done());
    REQUIRE(desk.next(long_ago).has_value());
    TableVerdict verdict;
    verdict.name = "public.items";
    desk.answer({verdict});
    CHECK(first.answer == Verdicts{verdict});
    CHECK_FALSE(second.answer.has_value());
    REQUIRE(desk.next(long_ago).has_value());
    desk.close("It ended.");
    REQUIRE(second.answer.has_value());
    CHECK(second.answer->front().trouble == "It ended.");
    desk.answer({verdict});  // too late, and nobody's
    CHECK_FALSE(desk.next(long_ago).has_value());
}

TEST_CASE("Only so many questions wait", "[storage]") {
    VerifyDesk desk;
    desk.open();
    std::vector<Asker> waiting(VerifyDesk::requests_max);
    for (Asker& asker : waiting) {
        desk.ask({}, asker.done());
    }
    Asker one_more;
    desk.ask({}, one_more.done());
    REQUIRE(one_more.answer.has_value());
    CHECK(one_more.answer->front().trouble == "Too many comparisons wait already.");
    desk.close("");
    CHECK(waiting.back().answer.has_value());
}

TEST_CASE("What has been compared is counted for each table", "[storage]") {
    VerifyDesk desk;
    TableVerdict verdict;
    verdict.oid = {7};
    verdict.name = "public.items";
    verdict.rows = 10;
    verdict.differences = 2;
    verdict.repaired = 1;
    const std::chrono::system_clock::time_point now{std::chrono::seconds{1'000}};
    desk.count(verdict, false, now);
    CHECK(desk.counted().front().passes == 0);
    desk.count(verdict, true, now);
    const VerifiedTable counted = desk.counted().front();
    CHECK(counted.rows == 20);
    CHECK(counted.differences == 4);
    CHECK(counted.repaired == 2);
    CHECK(counted.passes == 1);
    CHECK(counted.passed_at == now);
}
