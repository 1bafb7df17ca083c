#include "index/space.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <limits>
#include <vector>

using namespace veer::index;

namespace {

double reported(Metric metric, const std::vector<float>& a, const std::vector<float>& b) {
    return Space{metric, static_cast<std::uint32_t>(a.size())}.reported(a.data(), b.data());
}

}  // namespace

TEST_CASE("metric_of knows pgvector's operators and no other", "[index]") {
    CHECK(metric_of("<->") == Metric::l2);
    CHECK(metric_of("<=>") == Metric::cosine);
    CHECK(metric_of("<#>") == Metric::inner_product);
    CHECK(metric_of("<+>") == Metric::l1);
    CHECK(metric_of("<~>") == Metric::hamming);
    CHECK(metric_of("<%>") == Metric::jaccard);
    CHECK_FALSE(metric_of("<@>"));
    CHECK_FALSE(metric_of(""));
}

TEST_CASE("Reported distances are pgvector's", "[index]") {
    CHECK(reported(Metric::l2, {1, 2, 3}, {4, 6, 3}) == 5.0);
    CHECK(reported(Metric::l1, {1, 2, 3}, {4, 6, 3}) == 7.0);
    CHECK(std::isinf(reported(Metric::l1, {3e38F}, {-3e38F})));
    CHECK(reported(Metric::inner_product, {1, 2, 3}, {4, 5, 6}) == -32.0);
    CHECK(std::signbit(reported(Metric::inner_product, {1, 0}, {0, 1})));  // pgvector prints -0
    CHECK(reported(Metric::cosine, {1, 0}, {0, 2}) == 1.0);
    CHECK(reported(Metric::cosine, {1, 1}, {-1, -1}) == 2.0);
    CHECK(reported(Metric::cosine, {0.1F, 0.7F, 0.3F}, {0.1F, 0.7F, 0.3F}) == 0.0);
    CHECK(std::isnan(reported(Metric::cosine, {0, 0}, {1, 1})));
    CHECK(std::isinf(reported(Metric::l2, {3e38F}, {-3e38F})));
}

TEST_CASE("The walk's distance is never NaN", "[index]") {
    const Space space{Metric::inner_product, 2};
    const std::vector<float> a{3e38F, 3e38F, 0};
    const std::vector<float> b{3e38F, -3e38F, 0};
    CHECK_FALSE(std::isnan(space.walk(a.data(), b.data())));
}

TEST_CASE("check names what is wrong with a vector", "[index]") {
    const Space l2{Metric::l2, 2};
    const Space cosine{Metric::cosine, 2};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(l2.check(std::vector<float>{1, 2}).has_value());
    CHECK(l2.check(std::vector<float>{0, 0}).has_value());
    CHECK(l2.check(std::vector<float>{3e38F, 3e38F}).has_value());
    CHECK(l2.check(std::vector<float>{1}).error() == Errc::wrong_dimensions);
    CHECK(l2.check(std::vector<float>{1, nan}).error() == Errc::not_finite);
    CHECK(l2.check(std::vector<float>{-infinity, 1}).error() == Errc::not_finite);
    CHECK(cosine.check(std::vector<float>{0, 0}).error() == Errc::zero_norm);
    CHECK(cosine.check(std::vector<float>{1e-30F, 0}).has_value());  // pgvector's norm is a double
    CHECK_FALSE(make_error_code(Errc::zero_norm).message().empty());
}
