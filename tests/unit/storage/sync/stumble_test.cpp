#include "storage/sync/stumble.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::sync;
using namespace std::chrono_literals;

namespace {

const Error poison{Errc::unexpected, "A key did not come in binary."};
const Stumble::Clock::time_point start{};

/// Stumbles until the verdict is a copy; returns it. Three times, or the test fails.
Stumble::Verdict third(Stumble& stumble, Lsn position, Stumble::Clock::time_point now) {
    CHECK(stumble.judge(poison, position, now).error.code == Errc::unexpected);
    CHECK(stumble.judge(poison, position, now).error.code == Errc::unexpected);
    return stumble.judge(poison, position, now);
}

}  // namespace

TEST_CASE("The third time at one place is a reason to copy", "[storage]") {
    Stumble stumble;
    const auto verdict = third(stumble, {0x100}, start);
    CHECK(verdict.error.code == Errc::gone);
    CHECK(verdict.error.message.find("behind 0/100 cannot be applied") != std::string::npos);
    CHECK(verdict.error.message.find(poison.message) != std::string::npos);
    CHECK(verdict.wait == 0ms);
}

TEST_CASE("Another place or another message begins to count anew", "[storage]") {
    Stumble stumble;
    for (std::uint64_t position = 1; position < 10; ++position) {
        CHECK(stumble.judge(poison, {position}, start).error.code == Errc::unexpected);
        CHECK(stumble.judge(poison, {position}, start).error.code == Errc::unexpected);
        const Error other{Errc::unexpected, "Something else."};
        CHECK(stumble.judge(other, {position}, start).error.code == Errc::unexpected);
    }
}

TEST_CASE("A lost connection passes through, however often", "[storage]") {
    Stumble stumble;
    for (int time = 0; time < 10; ++time) {
        const auto verdict = stumble.judge({Errc::connection, "Gone away."}, {0x100}, start);
        CHECK(verdict.error.code == Errc::connection);
    }
}

TEST_CASE(
    "Copies that do not help wait longer and longer, and not after a calm hour", "[storage]"
) {
    Stumble stumble;
    CHECK(third(stumble, {0x100}, start).wait == 0ms);
    CHECK(third(stumble, {0x200}, start + 1min).wait == 10s);
    CHECK(third(stumble, {0x300}, start + 2min).wait == 20s);
    CHECK(third(stumble, {0x400}, start + 3h).wait == 0ms);
}
