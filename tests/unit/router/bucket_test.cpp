#include "router/bucket.hpp"

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

}  // namespace veer::router
