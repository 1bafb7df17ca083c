#include "index/kernels.hpp"

#include "index/kernels_neon.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

using namespace veer::index;

namespace {

std::vector<std::size_t> dimensions() {
    std::vector<std::size_t> all(67);
    std::iota(all.begin(), all.end(), std::size_t{1});
    all.insert(all.end(), {128, 384, 768, 1536});
    return all;
}

bool near(float a, float b, std::size_t dimensions) {
    return std::abs(a - b) <= 1e-6F * static_cast<float>(dimensions) + 1e-6F * std::abs(b);
}

void compare_with_scalar(const Kernels& kernels) {
    const Kernels& scalar = scalar_kernels();
    std::mt19937 random{7};
    std::uniform_real_distribution<float> uniform{-1.0F, 1.0F};
    for (const std::size_t count : dimensions()) {
        // One float more in front: vectors need no alignment.
        std::vector<float> a(count + 1);
        std::vector<float> b(count + 1);
        for (std::size_t i = 0; i <= count; ++i) {
            a[i] = uniform(random);
            b[i] = uniform(random);
        }
        const float* const x = a.data() + 1;
        const float* const y = b.data() + 1;
        CAPTURE(kernels.name, count);
        CHECK(near(kernels.l2_squared(x, y, count), scalar.l2_squared(x, y, count), count));
        CHECK(near(kernels.dot(x, y, count), scalar.dot(x, y, count), count));
        CHECK(near(kernels.l1(x, y, count), scalar.l1(x, y, count), count));
        const CosineParts found = kernels.cosine(x, y, count);
        const CosineParts wanted = scalar.cosine(x, y, count);
        CHECK(near(found.dot, wanted.dot, count));
        CHECK(near(found.norm_a, wanted.norm_a, count));
        CHECK(near(found.norm_b, wanted.norm_b, count));
    }
}

void compare_integers(const Kernels& kernels, const auto& draw) {
    std::vector<std::size_t> counts = dimensions();
    counts.push_back(16'000);
    for (const std::size_t count : counts) {
        std::vector<std::int8_t> a(count + 1);
        std::vector<std::int8_t> b(count + 1);
        std::generate(a.begin(), a.end(), draw);
        std::generate(b.begin(), b.end(), draw);
        CAPTURE(kernels.name, count);
        CHECK(
            kernels.dot_int8(a.data() + 1, b.data() + 1, count) ==
            scalar_kernels().dot_int8(a.data() + 1, b.data() + 1, count)
        );
    }
}

/// As codes have them: not aligned, words of every kind.
void compare_sums_where(const Kernels& kernels) {
    std::mt19937 random{3};
    for (const std::size_t words : {1U, 2U, 3U, 12U}) {
        constexpr std::size_t count = 5;
        std::vector<std::int8_t> values(words * 64 + 1);
        std::generate(values.begin(), values.end(), [&] {
            return static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
        });
        std::vector<std::byte> bits(count * words * 8 + 1);
        std::generate(bits.begin(), bits.end(), [&] { return static_cast<std::byte>(random()); });
        std::fill(bits.begin() + 1, bits.begin() + 9, std::byte{0xFF});
        std::vector<const std::byte*> rows;
        for (std::size_t row = 0; row < count; ++row) {
            rows.push_back(bits.data() + 1 + row * words * 8);
        }
        std::vector<std::int32_t> sums(count);
        std::vector<std::int32_t> scalar(count);
        kernels.sums_where(rows.data(), count, values.data() + 1, words, sums.data());
        scalar_kernels().sums_where(rows.data(), count, values.data() + 1, words, scalar.data());
        CAPTURE(words);
        CHECK(sums == scalar);
    }
}

/// Exactly: integers have no rounding.
void compare_integers_with_scalar(const Kernels& kernels) {
    std::mt19937 random{7};
    compare_integers(kernels, [&] { return static_cast<std::int8_t>(random()); });
    compare_integers(kernels, [&] { return static_cast<std::int8_t>(random() % 2 ? 127 : -128); });
    compare_integers(kernels, [] { return std::int8_t{-128}; });
    compare_integers(kernels, [] { return std::int8_t{127}; });
    compare_sums_where(kernels);
}

}  // namespace

TEST_CASE("AVX2 kernels compute what the scalar ones compute", "[index]") {
    if (avx2_kernels() == nullptr) {
        SKIP("this processor has no AVX2");
    }
    compare_with_scalar(*avx2_kernels());
    compare_integers_with_scalar(*avx2_kernels());
}

TEST_CASE("AVX-512 kernels compute what the scalar ones compute", "[index]") {
    if (avx512_kernels() == nullptr) {
        SKIP("this processor has no AVX-512");
    }
    compare_with_scalar(*avx512_kernels());
    compare_integers_with_scalar(*avx512_kernels());
}

TEST_CASE("VNNI kernels compute what the scalar ones compute", "[index]") {
    if (avx512_vnni_kernels() == nullptr) {
        SKIP("this processor has no AVX-512 VNNI");
    }
    compare_with_scalar(*avx512_vnni_kernels());
    compare_integers_with_scalar(*avx512_vnni_kernels());
}

TEST_CASE("NEON kernels compute what the scalar ones compute", "[index]") {
    if (neon_kernels() == nullptr) {
        SKIP("this processor has no NEON");
    }
    compare_with_scalar(*neon_kernels());
    compare_integers_with_scalar(*neon_kernels());
}

TEST_CASE("NEON kernels with SDOT compute what the scalar ones compute", "[index]") {
    if (neon_dotprod_kernels() == nullptr) {
        SKIP("this processor has no SDOT");
    }
    compare_with_scalar(*neon_dotprod_kernels());
    compare_integers_with_scalar(*neon_dotprod_kernels());
}

TEST_CASE("The kernels in use compute what the scalar ones compute", "[index]") {
    compare_with_scalar(best_kernels());
    compare_integers_with_scalar(best_kernels());
}

TEST_CASE("Scalar kernels compute sums that can be checked by hand", "[index]") {
    const std::vector<float> a{1, 2, 3};
    const std::vector<float> b{4, 6, 3};
    const Kernels& scalar = scalar_kernels();
    CHECK(scalar.l2_squared(a.data(), b.data(), 3) == 25.0F);
    CHECK(scalar.dot(a.data(), b.data(), 3) == 25.0F);
    CHECK(scalar.l1(a.data(), b.data(), 3) == 7.0F);
    const std::vector<std::int8_t> codes{-128, 127, 3};
    CHECK(scalar.dot_int8(codes.data(), codes.data(), 3) == 16384 + 16129 + 9);
    std::vector<std::int8_t> values(64, 1);
    values[2] = 100;
    const std::array<std::byte, 8> bits{std::byte{0x05}, std::byte{0x80}};
    const std::byte* const row = bits.data();
    std::int32_t sum = 0;
    scalar.sums_where(&row, 1, values.data(), 1, &sum);
    CHECK(sum == 102);
    const CosineParts parts = scalar.cosine(a.data(), b.data(), 3);
    CHECK(parts.dot == 25.0F);
    CHECK(parts.norm_a == 14.0F);
    CHECK(parts.norm_b == 61.0F);
}
