#include "storage/verify/patrol.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using std::chrono::minutes;
using std::chrono::seconds;
using veer::tests::key_of;
using verify::Patrol;

namespace {

constexpr TableOid a{10};
constexpr TableOid b{20};
const Patrol::Clock::time_point start = Patrol::Clock::time_point{} + std::chrono::hours{1};

/// Past the first pause.
struct Begun {
    Patrol patrol{{1'000, minutes{60}}, start};
    Patrol::Clock::time_point now = start + minutes{1};
};

}  // namespace

TEST_CASE("A patrol goes through each table piece by piece, at its rate", "[storage]") {
    Begun begun;
    Patrol& patrol = begun.patrol;
    CHECK_FALSE(patrol.next({b, a}, start).has_value());
    auto piece = patrol.next({b, a}, begun.now);
    REQUIRE(piece.has_value());
    CHECK(piece->table == a);
    CHECK_FALSE(piece->after.has_value());
    CHECK(piece->rows_max == 10'000);
    patrol.compared(10'000, key_of(7), begun.now);
    CHECK(patrol.due() == begun.now + seconds{10});
    CHECK_FALSE(patrol.next({a, b}, begun.now + seconds{9}).has_value());
    piece = patrol.next({a, b}, patrol.due());
    REQUIRE(piece.has_value());
    CHECK(piece->table == a);
    CHECK(piece->after == key_of(7));
    patrol.compared(500, std::nullopt, patrol.due());
    piece = patrol.next({a, b}, patrol.due());
    REQUIRE(piece.has_value());
    CHECK(piece->table == b);
    CHECK_FALSE(piece->after.has_value());
}

TEST_CASE("A pass begins again when its time has come, not before", "[storage]") {
    Begun begun;
    REQUIRE(begun.patrol.next({a}, begun.now).has_value());
    begun.patrol.compared(10, std::nullopt, begun.now);
    CHECK_FALSE(begun.patrol.next({a}, begun.patrol.due()).has_value());
    CHECK(begun.patrol.due() == begun.now + minutes{60});
    CHECK(begun.patrol.next({a}, begun.patrol.due()).has_value());
}

TEST_CASE("A table that leaves, or cannot be compared, is not waited for", "[storage]") {
    Begun begun;
    REQUIRE(begun.patrol.next({a, b}, begun.now).has_value());
    SECTION("it leaves, and its place with it") {
        begun.patrol.compared(10'000, key_of(7), begun.now);
        const auto piece = begun.patrol.next({b}, begun.patrol.due());
        REQUIRE(piece.has_value());
        CHECK(piece->table == b);
        CHECK_FALSE(piece->after.has_value());
    }
    SECTION("it fails") {
        for (int tries = 0; tries < 4; ++tries) {
            const auto before = begun.patrol.due();
            begun.patrol.failed(before);
            CHECK(begun.patrol.due() == before + minutes{1});
            const auto again = begun.patrol.next({a, b}, begun.patrol.due());
            REQUIRE(again.has_value());
            CHECK(again->table == a);
        }
        begun.patrol.failed(begun.patrol.due());
        const auto piece = begun.patrol.next({a, b}, begun.patrol.due());
        REQUIRE(piece.has_value());
        CHECK(piece->table == b);
    }
    SECTION("it fails for a moment, in its middle") {
        begun.patrol.compared(10'000, key_of(7), begun.now);
        REQUIRE(begun.patrol.next({a, b}, begun.patrol.due()).has_value());
        begun.patrol.failed(begun.patrol.due());
        const auto piece = begun.patrol.next({a, b}, begun.patrol.due());
        REQUIRE(piece.has_value());
        CHECK(piece->table == a);
        CHECK(piece->after == key_of(7));
    }
}

TEST_CASE("Without a rate nothing is ever due", "[storage]") {
    Patrol patrol{{0, minutes{60}}, start};
    CHECK_FALSE(patrol.next({a}, start + minutes{61}).has_value());
    CHECK(patrol.due() == Patrol::Clock::time_point::max());
}
