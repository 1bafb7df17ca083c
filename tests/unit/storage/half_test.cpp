#include "storage/half.hpp"

#include <catch2/catch_test_macros.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace veer::storage;

TEST_CASE("Halves that can be checked by hand", "[storage]") {
    CHECK(half_value(0x3C00) == 1.0F);
    CHECK(half_value(0xC000) == -2.0F);
    CHECK(half_value(0x7BFF) == 65504.0F);
    CHECK(half_value(0x0001) == 0x1p-24F);
    CHECK(half_value(0x0400) == 0x1p-14F);
    CHECK(std::signbit(half_value(0x8000)));
    CHECK(std::isinf(half_value(0x7C00)));
    CHECK(std::isnan(half_value(0x7C01)));
}

TEST_CASE("Every finite half is its own nearest half", "[storage]") {
    for (std::uint32_t half = 0; half <= 0xFFFF; ++half) {
        if ((half & 0x7C00U) != 0x7C00U) {
            const auto bits = static_cast<std::uint16_t>(half);
            REQUIRE(nearest_half(half_value(bits)) == bits);
        }
    }
}

TEST_CASE("Between two halves the nearer wins, and the even one of a tie", "[storage]") {
    for (std::uint16_t half = 0; half < 0x7BFF; ++half) {
        const auto next = static_cast<std::uint16_t>(half + 1);
        const float middle = (half_value(half) + half_value(next)) / 2;
        REQUIRE(nearest_half(middle) == (half % 2 == 0 ? half : next));
        REQUIRE(nearest_half(std::nextafter(middle, 0.0F)) == half);
        REQUIRE(nearest_half(std::nextafter(middle, 1e6F)) == next);
    }
}

TEST_CASE("What halfvec refuses has no nearest half", "[storage]") {
    CHECK(nearest_half(65519.996F) == 0x7BFF);
    CHECK_FALSE(nearest_half(65520.0F).has_value());
    CHECK_FALSE(nearest_half(-1e9F).has_value());
    CHECK_FALSE(nearest_half(std::numeric_limits<float>::infinity()).has_value());
    CHECK_FALSE(nearest_half(std::numeric_limits<float>::quiet_NaN()).has_value());
}

#if defined(__x86_64__)

namespace {

// The instruction that pgvector uses where the processor has it.
__attribute__((target("f16c"))) std::uint16_t converted(float value) {
    return static_cast<std::uint16_t>(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(value), 0)));
}

__attribute__((target("f16c"))) float widened(std::uint16_t half) {
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

}  // namespace

TEST_CASE("Halves are the processor's", "[storage]") {
    if (!__builtin_cpu_supports("avx2")) {  // which come together; clang 14 knows no "f16c"
        SKIP("this processor has no F16C");
    }
    for (std::uint32_t half = 0; half <= 0xFFFF; ++half) {
        const auto bits = static_cast<std::uint16_t>(half);
        const float value = half_value(bits);
        REQUIRE((std::isnan(value) ? std::isnan(widened(bits)) : value == widened(bits)));
    }
    std::mt19937 random{11};
    for (int i = 0; i < 200'000; ++i) {
        const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        const std::uint16_t wanted = converted(value);
        const bool finite = (wanted & 0x7C00U) != 0x7C00U;
        REQUIRE(nearest_half(value) == (finite ? std::optional(wanted) : std::nullopt));
    }
}

#endif
