#include "storage/sync/history_check.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::sync;
using veer::storage::source::pgoutput::Begin;
using veer::storage::store::History;

namespace {

/// The copy has the transaction at 0x100, which ended at 0x120, and is at 0x180.
const History history{1, {{0x100}, 77, 500}, {}};
constexpr Lsn applied{0x180};

bool fails(const Result<bool>& taken, const std::string& why) {
    return taken.has_error() && taken.error().code == Errc::gone &&
           taken.error().message.find(why) != std::string::npos;
}

}  // namespace

TEST_CASE("Without a landmark there is nothing to prove", "[storage]") {
    HistoryCheck check{{1, {}, {}}, applied, applied};
    CHECK(check.proven());
    CHECK(check.take(Begin{{0x180}, 1, 2}).value());
}

TEST_CASE("The landmark and then silence up to the position prove the history", "[storage]") {
    HistoryCheck check{history, applied, {0x100}};
    CHECK_FALSE(check.proven());
    CHECK(check.passed({0x100}).has_value());
    CHECK_FALSE(check.take(Begin{{0x100}, 77, 500}).value());
    CHECK(check.passed({0x120}).has_value());
    CHECK_FALSE(check.proven());
    SECTION("a keepalive") {
        CHECK(check.passed({0x180}).has_value());
        CHECK(check.proven());
    }
    SECTION("the first new transaction") {
        CHECK(check.take(Begin{{0x180}, 78, 501}).value());
        CHECK(check.proven());
    }
}

TEST_CASE("A landmark at the position is proof enough", "[storage]") {
    HistoryCheck check{history, {0x120}, {0x100}};
    CHECK_FALSE(check.take(Begin{{0x100}, 77, 500}).value());
    CHECK(check.passed({0x120}).has_value());
    CHECK(check.proven());
}

TEST_CASE("Anything but the landmark is another history", "[storage]") {
    HistoryCheck check{history, applied, {0x80}};
    CHECK(fails(check.take(Begin{{0x100}, 77, 501}), "0/100 is another one"));
    CHECK(fails(check.take(Begin{{0x100}, 78, 500}), "0/100 is another one"));
    CHECK(fails(check.take(Begin{{0x108}, 77, 500}), "0/108 is another one"));
    const auto passed = check.passed({0x101});
    REQUIRE(passed.has_error());
    CHECK(passed.error().message.find("0/100 is not there any more") != std::string::npos);
    CHECK_FALSE(check.proven());
}

TEST_CASE("A transaction between the landmark and the position is another history", "[storage]") {
    HistoryCheck check{history, applied, {0x100}};
    CHECK_FALSE(check.take(Begin{{0x100}, 77, 500}).value());
    CHECK(fails(check.take(Begin{{0x140}, 78, 501}), "at 0/140 that was not there"));
}

TEST_CASE("Past a landmark that was confirmed the stream begins behind it", "[storage]") {
    HistoryCheck check{history, applied, {0x160}};
    CHECK_FALSE(check.proven());
    SECTION("nothing for us") {
        CHECK(check.passed({0x180}).has_value());
        CHECK(check.proven());
    }
    SECTION("something that the copy does not have") {
        CHECK(fails(check.take(Begin{{0x170}, 78, 501}), "at 0/170 that was not there"));
    }
}

TEST_CASE("A transaction without changes shows nothing, come or not", "[storage]") {
    HistoryCheck check{history, applied, {0x100}};
    SECTION("before the landmark is there, and in between") {
        check.take_empty(Begin{{0x100}, 77, 501});
        CHECK(check.passed({0x100}).has_value());
        CHECK_FALSE(check.take(Begin{{0x100}, 77, 500}).value());
        check.take_empty(Begin{{0x140}, 78, 501});
        CHECK_FALSE(check.proven());
        CHECK(check.passed({0x180}).has_value());
        CHECK(check.proven());
    }
    SECTION("behind a landmark that is not") {
        check.take_empty(Begin{{0x140}, 78, 501});
        CHECK(check.passed({0x148}).has_error());
    }
    SECTION("but where it is the landmark, as it once could be") {
        check.take_empty(Begin{{0x100}, 77, 500});
        CHECK(check.passed({0x180}).has_value());
        CHECK(check.proven());
    }
}
