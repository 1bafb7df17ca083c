#include "router/bucket.hpp"

#include "router/cutover/precedence.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace veer::router {

TEST_CASE("bucket() is frozen: these values may never change", "[router]") {
    CHECK(std::floor(bucket("", "") * 1e9) == 19660696);
    CHECK(std::floor(bucket("salt", "tenant-42") * 1e9) == 194923902);
    const std::vector<float> vector = {1.0F, -2.5F, 0.25F};
    CHECK(std::floor(bucket("salt", "shape", vector) * 1e9) == 35626574);
}

TEST_CASE("buckets spread evenly and the salt reshuffles them", "[router]") {
    int below = 0;
    int moved = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::string key = std::to_string(i);
        below += bucket("a", key) < 0.1 ? 1 : 0;
        moved += (bucket("a", key) < 0.5) != (bucket("b", key) < 0.5) ? 1 : 0;
    }
    CHECK(below > 900);
    CHECK(below < 1100);
    CHECK(moved > 4500);
    CHECK(moved < 5500);
}

TEST_CASE("raising a share never removes a key, lowering it never adds one", "[router]") {
    constexpr int thousandths = 100'000;  // of a percent: the resolution that shares have
    for (int i = 0; i < 200; ++i) {
        cutover::Voices said;
        said.bucket = bucket("salt", "key" + std::to_string(i));
        const auto answered_by_index = [&said](double share) {
            said.share = share;
            return cutover::weigh(said).veer;
        };
        bool inside = false;
        int entered = 0;
        for (int share = 0; share <= thousandths; share += i % 7 + 1) {
            const bool now = answered_by_index(share / 1000.0);
            entered += now && !inside ? 1 : 0;
            REQUIRE((now || !inside));
            inside = now;
        }
        CHECK(entered <= 1);
        CHECK(answered_by_index(100));
        CHECK_FALSE(answered_by_index(0));
    }
}

}  // namespace veer::router
