#include "storage/sync/silence.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::storage::sync {

using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE(
    "A silent stream is asked after a while, and given up when it does not answer", "[storage]"
) {
    const Silence::Clock::time_point start{};
    Silence silence{minutes{2}, start};
    CHECK_FALSE(silence.asks(start + seconds{29}));
    CHECK(silence.asks(start + seconds{30}));
    CHECK_FALSE(silence.given_up(start + seconds{150}));
    CHECK(silence.asks(start + seconds{150}));
    CHECK(silence.given_up(start + seconds{151}));
    silence.heard(start + seconds{151});
    CHECK_FALSE(silence.given_up(start + minutes{60}));  // nobody was asked since
    CHECK(silence.asks(start + minutes{60}));
    CHECK_FALSE(silence.given_up(start + minutes{62}));
}

}  // namespace veer::storage::sync
