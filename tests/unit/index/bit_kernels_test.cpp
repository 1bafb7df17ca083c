#include "index/bit_kernels.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <random>
#include <vector>

using namespace veer::index;

namespace {

void compare_with_scalar(const BitKernels& kernels) {
    const BitKernels& scalar = scalar_bit_kernels();
    std::mt19937 random{3};
    for (std::size_t bytes = 0; bytes <= 1100; bytes += bytes < 200 ? 1 : 37) {
        // One byte more in front: bits need no alignment.
        std::vector<std::uint8_t> a(bytes + 1);
        std::vector<std::uint8_t> b(bytes + 1);
        for (std::size_t i = 0; i <= bytes; ++i) {
            a[i] = static_cast<std::uint8_t>(random());
            b[i] = static_cast<std::uint8_t>(random() % 3 == 0 ? 0xFF : random());
        }
        CAPTURE(kernels.name, bytes);
        const auto* const x = a.data() + 1;
        const auto* const y = b.data() + 1;
        CHECK(kernels.differing(x, y, bytes) == scalar.differing(x, y, bytes));
        CHECK(kernels.shared(x, y, bytes) == scalar.shared(x, y, bytes));
    }
}

}  // namespace

TEST_CASE("POPCNT kernels count what the scalar ones count", "[index]") {
    if (popcnt_kernels() == nullptr) {
        SKIP("this processor has no POPCNT");
    }
    compare_with_scalar(*popcnt_kernels());
}

TEST_CASE("AVX-512 kernels count what the scalar ones count", "[index]") {
    if (avx512_popcnt_kernels() == nullptr) {
        SKIP("this processor has no AVX-512 VPOPCNTDQ");
    }
    compare_with_scalar(*avx512_popcnt_kernels());
}

TEST_CASE("Scalar kernels count what can be counted by hand", "[index]") {
    const std::vector<std::uint8_t> a{0xFF, 0, 0, 0, 0, 0, 0, 0, 0x0F};
    const std::vector<std::uint8_t> b{0x0F, 0, 0, 0, 0, 0, 0, 1, 0x03};
    CHECK(scalar_bit_kernels().differing(a.data(), b.data(), a.size()) == 4 + 1 + 2);
    CHECK(scalar_bit_kernels().shared(a.data(), b.data(), a.size()) == 4 + 2);
    compare_with_scalar(best_bit_kernels());
}
