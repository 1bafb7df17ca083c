#include "index/kernels.hpp"

#include "index/kernels_neon.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace veer::index {

namespace {

float l2_squared(const float* a, const float* b, std::size_t count) {
    float sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float difference = a[i] - b[i];
        sum += difference * difference;
    }
    return sum;
}

float dot(const float* a, const float* b, std::size_t count) {
    float sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

float l1(const float* a, const float* b, std::size_t count) {
    float sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        sum += std::fabs(a[i] - b[i]);
    }
    return sum;
}

CosineParts cosine(const float* a, const float* b, std::size_t count) {
    CosineParts parts;
    for (std::size_t i = 0; i < count; ++i) {
        parts.dot += a[i] * b[i];
        parts.norm_a += a[i] * a[i];
        parts.norm_b += b[i] * b[i];
    }
    return parts;
}

std::int32_t dot_int8(const std::int8_t* a, const std::int8_t* b, std::size_t count) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        sum += std::int32_t{a[i]} * std::int32_t{b[i]};
    }
    return sum;
}

void sums_where(
    const std::byte* const* rows,
    std::size_t count,
    const std::int8_t* values,
    std::size_t words,
    std::int32_t* sums
) {
    for (std::size_t row = 0; row < count; ++row) {
        sums[row] = 0;
        for (std::size_t word = 0; word < words; ++word) {
            std::uint64_t bits = 0;
            std::memcpy(&bits, rows[row] + word * sizeof bits, sizeof bits);
            for (; bits != 0; bits &= bits - 1) {
                sums[row] += values[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
            }
        }
    }
}

const Kernels& choose() {
    if (const Kernels* const vnni = avx512_vnni_kernels()) {
        return *vnni;
    }
    if (const Kernels* const avx512 = avx512_kernels()) {
        return *avx512;
    }
    if (const Kernels* const avx2 = avx2_kernels()) {
        return *avx2;
    }
    if (const Kernels* const dotprod = neon_dotprod_kernels()) {
        return *dotprod;
    }
    if (const Kernels* const neon = neon_kernels()) {
        return *neon;
    }
    return scalar_kernels();
}

}  // namespace

const Kernels& scalar_kernels() {
    static constexpr Kernels kernels{"scalar", l2_squared, dot, l1, cosine, dot_int8, sums_where};
    return kernels;
}

const Kernels& best_kernels() {
    static const Kernels& best = choose();
    return best;
}

}  // namespace veer::index
