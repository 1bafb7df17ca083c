#include "index/kernels.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cmath>
#include <cstring>

// Each function names the instruction set it needs, so that the file compiles for a baseline x86-64
// and runs on it; only the pointers below decide what is called.
#define VEER_AVX2 __attribute__((target("avx2,fma")))
#define VEER_AVX512 __attribute__((target("avx512f,avx512bw")))
#define VEER_VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

namespace veer::index {

namespace {

VEER_AVX2 float sum_avx2(__m256 v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

VEER_AVX2 float l2_squared_avx2(const float* a, const float* b, std::size_t count) {
    __m256 s0 = _mm256_setzero_ps();
    __m256 s1 = s0;
    __m256 s2 = s0;
    __m256 s3 = s0;
    std::size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        const __m256 d2 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16));
        const __m256 d3 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24));
        s0 = _mm256_fmadd_ps(d0, d0, s0);
        s1 = _mm256_fmadd_ps(d1, d1, s1);
        s2 = _mm256_fmadd_ps(d2, d2, s2);
        s3 = _mm256_fmadd_ps(d3, d3, s3);
    }
    for (; i + 8 <= count; i += 8) {
        const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        s0 = _mm256_fmadd_ps(d0, d0, s0);
    }
    float sum = sum_avx2(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
    for (; i < count; ++i) {
        const float difference = a[i] - b[i];
        sum += difference * difference;
    }
    return sum;
}

VEER_AVX2 float dot_avx2(const float* a, const float* b, std::size_t count) {
    __m256 s0 = _mm256_setzero_ps();
    __m256 s1 = s0;
    __m256 s2 = s0;
    __m256 s3 = s0;
    std::size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
    }
    for (; i + 8 <= count; i += 8) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    }
    float sum = sum_avx2(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
    for (; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

VEER_AVX2 __m256 distances_avx2(const float* a, const float* b) {
    const __m256 difference = _mm256_sub_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b));
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), difference);
}

VEER_AVX2 float l1_avx2(const float* a, const float* b, std::size_t count) {
    __m256 s0 = _mm256_setzero_ps();
    __m256 s1 = s0;
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        s0 = _mm256_add_ps(s0, distances_avx2(a + i, b + i));
        s1 = _mm256_add_ps(s1, distances_avx2(a + i + 8, b + i + 8));
    }
    float sum = sum_avx2(_mm256_add_ps(s0, s1));
    for (; i < count; ++i) {
        sum += std::fabs(a[i] - b[i]);
    }
    return sum;
}

VEER_AVX2 CosineParts cosine_avx2(const float* a, const float* b, std::size_t count) {
    __m256 dot = _mm256_setzero_ps();
    __m256 norm_a = dot;
    __m256 norm_b = dot;
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m256 x = _mm256_loadu_ps(a + i);
        const __m256 y = _mm256_loadu_ps(b + i);
        dot = _mm256_fmadd_ps(x, y, dot);
        norm_a = _mm256_fmadd_ps(x, x, norm_a);
        norm_b = _mm256_fmadd_ps(y, y, norm_b);
    }
    CosineParts parts{sum_avx2(dot), sum_avx2(norm_a), sum_avx2(norm_b)};
    for (; i < count; ++i) {
        parts.dot += a[i] * b[i];
        parts.norm_a += a[i] * a[i];
        parts.norm_b += b[i] * b[i];
    }
    return parts;
}

VEER_AVX2 std::int32_t sum_avx2(__m256i v) {
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
}

VEER_AVX2 __m256i widened(const std::int8_t* from) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

/// Products of 16 pairs, added two by two: 2 * 128 * 128 fits where a 16-bit sum would saturate.
VEER_AVX2 __m256i products_avx2(const std::int8_t* a, const std::int8_t* b) {
    return _mm256_madd_epi16(widened(a), widened(b));
}

VEER_AVX2 std::int32_t dot_int8_avx2(
    const std::int8_t* a, const std::int8_t* b, std::size_t count
) {
    __m256i s0 = _mm256_setzero_si256();
    __m256i s1 = s0;
    std::size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        s0 = _mm256_add_epi32(s0, products_avx2(a + i, b + i));
        s1 = _mm256_add_epi32(s1, products_avx2(a + i + 16, b + i + 16));
    }
    std::int32_t sum = sum_avx2(_mm256_add_epi32(s0, s1));
    for (; i < count; ++i) {
        sum += std::int32_t{a[i]} * std::int32_t{b[i]};
    }
    return sum;
}

VEER_AVX512 float sum_avx512(__m512 v) {
    alignas(64) float lanes[16];
    _mm512_store_ps(lanes, v);
    float sums[4];
    for (int i = 0; i < 4; ++i) {
        sums[i] = (lanes[i] + lanes[i + 4]) + (lanes[i + 8] + lanes[i + 12]);
    }
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

VEER_AVX512 __mmask16 first_lanes(std::size_t count) {
    return static_cast<__mmask16>((1U << count) - 1U);
}

VEER_AVX512 float l2_squared_avx512(const float* a, const float* b, std::size_t count) {
    __m512 s0 = _mm512_setzero_ps();
    __m512 s1 = s0;
    __m512 s2 = s0;
    __m512 s3 = s0;
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        const __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        const __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        const __m512 d2 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32));
        const __m512 d3 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48));
        s0 = _mm512_fmadd_ps(d0, d0, s0);
        s1 = _mm512_fmadd_ps(d1, d1, s1);
        s2 = _mm512_fmadd_ps(d2, d2, s2);
        s3 = _mm512_fmadd_ps(d3, d3, s3);
    }
    for (; i < count; i += 16) {
        const __mmask16 lanes = count - i >= 16 ? first_lanes(16) : first_lanes(count - i);
        const __m512 d0 =
            _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, a + i), _mm512_maskz_loadu_ps(lanes, b + i));
        s0 = _mm512_fmadd_ps(d0, d0, s0);
    }
    return sum_avx512(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

VEER_AVX512 float dot_avx512(const float* a, const float* b, std::size_t count) {
    __m512 s0 = _mm512_setzero_ps();
    __m512 s1 = s0;
    __m512 s2 = s0;
    __m512 s3 = s0;
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
        s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
        s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
    }
    for (; i < count; i += 16) {
        const __mmask16 lanes = count - i >= 16 ? first_lanes(16) : first_lanes(count - i);
        s0 = _mm512_fmadd_ps(
            _mm512_maskz_loadu_ps(lanes, a + i), _mm512_maskz_loadu_ps(lanes, b + i), s0
        );
    }
    return sum_avx512(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

VEER_AVX512 float l1_avx512(const float* a, const float* b, std::size_t count) {
    __m512 s0 = _mm512_setzero_ps();
    __m512 s1 = s0;
    std::size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        const __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        s0 = _mm512_add_ps(s0, _mm512_abs_ps(d0));
        s1 = _mm512_add_ps(s1, _mm512_abs_ps(d1));
    }
    for (; i < count; i += 16) {
        const __mmask16 lanes = count - i >= 16 ? first_lanes(16) : first_lanes(count - i);
        const __m512 d0 =
            _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, a + i), _mm512_maskz_loadu_ps(lanes, b + i));
        s0 = _mm512_add_ps(s0, _mm512_abs_ps(d0));
    }
    return sum_avx512(_mm512_add_ps(s0, s1));
}

VEER_AVX512 CosineParts cosine_avx512(const float* a, const float* b, std::size_t count) {
    __m512 dot = _mm512_setzero_ps();
    __m512 norm_a = dot;
    __m512 norm_b = dot;
    for (std::size_t i = 0; i < count; i += 16) {
        const __mmask16 lanes = count - i >= 16 ? first_lanes(16) : first_lanes(count - i);
        const __m512 x = _mm512_maskz_loadu_ps(lanes, a + i);
        const __m512 y = _mm512_maskz_loadu_ps(lanes, b + i);
        dot = _mm512_fmadd_ps(x, y, dot);
        norm_a = _mm512_fmadd_ps(x, x, norm_a);
        norm_b = _mm512_fmadd_ps(y, y, norm_b);
    }
    return {sum_avx512(dot), sum_avx512(norm_a), sum_avx512(norm_b)};
}

VEER_AVX512 std::int32_t sum_avx512(__m512i v) {
    alignas(64) std::int32_t lanes[16];
    _mm512_store_si512(lanes, v);
    std::int32_t sums[4];
    for (int i = 0; i < 4; ++i) {
        sums[i] = (lanes[i] + lanes[i + 4]) + (lanes[i + 8] + lanes[i + 12]);
    }
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

/// Products of 32 pairs, added two by two.
VEER_AVX512 __m512i products_avx512(const std::int8_t* a, const std::int8_t* b) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
    const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
    return _mm512_madd_epi16(_mm512_cvtepi8_epi16(x), _mm512_cvtepi8_epi16(y));
}

VEER_AVX512 std::int32_t dot_int8_avx512(
    const std::int8_t* a, const std::int8_t* b, std::size_t count
) {
    __m512i s0 = _mm512_setzero_si512();
    __m512i s1 = s0;
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        s0 = _mm512_add_epi32(s0, products_avx512(a + i, b + i));
        s1 = _mm512_add_epi32(s1, products_avx512(a + i + 32, b + i + 32));
    }
    std::int32_t sum = sum_avx512(_mm512_add_epi32(s0, s1));
    for (; i < count; ++i) {
        sum += std::int32_t{a[i]} * std::int32_t{b[i]};
    }
    return sum;
}

VEER_AVX512 __mmask64 first_bytes(std::size_t count) {
    return (__mmask64{1} << count) - 1U;
}

/// VNNI multiplies unsigned by signed: a + 128 is unsigned, and 128 * b, summed beside it, is what
/// that adds.
VEER_VNNI std::int32_t dot_int8_vnni(
    const std::int8_t* a, const std::int8_t* b, std::size_t count
) {
    const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
    __m512i sum = _mm512_setzero_si512();
    __m512i added = sum;
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        const __m512i x = _mm512_xor_si512(_mm512_loadu_si512(a + i), offset);
        const __m512i y = _mm512_loadu_si512(b + i);
        sum = _mm512_dpbusd_epi32(sum, x, y);
        added = _mm512_dpbusd_epi32(added, offset, y);
    }
    if (i < count) {
        const __mmask64 lanes = first_bytes(count - i);
        const __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi8(lanes, a + i), offset);
        const __m512i y = _mm512_maskz_loadu_epi8(lanes, b + i);
        sum = _mm512_dpbusd_epi32(sum, x, y);
        added = _mm512_dpbusd_epi32(added, offset, y);
    }
    return sum_avx512(_mm512_sub_epi32(sum, added));
}

std::uint64_t word_of(const std::byte* row, std::size_t word) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, row + word * sizeof bits, sizeof bits);
    return bits;
}

/// The values whose bits are set, the others zero.
VEER_AVX2 __m256i chosen_avx2(std::uint32_t bits, const std::int8_t* values) {
    const __m256i bytes =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), bytes);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    return _mm256_and_si256(set, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
}

/// Of bytes, four by four; twice 127 times two fits into 16 bits.
VEER_AVX2 __m256i sums_of_four_avx2(__m256i values) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), values);
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

VEER_AVX2 void sums_where_avx2(
    const std::byte* const* rows,
    std::size_t count,
    const std::int8_t* values,
    std::size_t words,
    std::int32_t* sums
) {
    for (std::size_t row = 0; row < count; ++row) {
        __m256i sum = _mm256_setzero_si256();
        for (std::size_t word = 0; word < words; ++word) {
            const std::uint64_t bits = word_of(rows[row], word);
            const std::int8_t* const from = values + word * 64;
            const __m256i low = chosen_avx2(static_cast<std::uint32_t>(bits), from);
            const __m256i high = chosen_avx2(static_cast<std::uint32_t>(bits >> 32U), from + 32);
            sum = _mm256_add_epi32(sum, sums_of_four_avx2(low));
            sum = _mm256_add_epi32(sum, sums_of_four_avx2(high));
        }
        sums[row] = sum_avx2(sum);
    }
}

VEER_AVX512 void sums_where_avx512(
    const std::byte* const* rows,
    std::size_t count,
    const std::int8_t* values,
    std::size_t words,
    std::int32_t* sums
) {
    const __m512i ones = _mm512_set1_epi8(1);
    for (std::size_t row = 0; row < count; ++row) {
        __m512i sum = _mm512_setzero_si512();
        for (std::size_t word = 0; word < words; ++word) {
            const __m512i chosen =
                _mm512_maskz_loadu_epi8(word_of(rows[row], word), values + word * 64);
            const __m512i pairs = _mm512_maddubs_epi16(ones, chosen);
            sum = _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
        }
        sums[row] = sum_avx512(sum);
    }
}

VEER_VNNI void sums_where_vnni(
    const std::byte* const* rows,
    std::size_t count,
    const std::int8_t* values,
    std::size_t words,
    std::int32_t* sums
) {
    const __m512i ones = _mm512_set1_epi8(1);
    for (std::size_t row = 0; row < count; ++row) {
        __m512i even = _mm512_setzero_si512();
        __m512i odd = even;
        std::size_t word = 0;
        for (; word + 2 <= words; word += 2) {
            const __m512i a = _mm512_maskz_mov_epi8(word_of(rows[row], word), ones);
            const __m512i b = _mm512_maskz_mov_epi8(word_of(rows[row], word + 1), ones);
            even = _mm512_dpbusd_epi32(even, a, _mm512_loadu_si512(values + word * 64));
            odd = _mm512_dpbusd_epi32(odd, b, _mm512_loadu_si512(values + word * 64 + 64));
        }
        if (word < words) {
            const __m512i a = _mm512_maskz_mov_epi8(word_of(rows[row], word), ones);
            even = _mm512_dpbusd_epi32(even, a, _mm512_loadu_si512(values + word * 64));
        }
        sums[row] = sum_avx512(_mm512_add_epi32(even, odd));
    }
}

}  // namespace

const Kernels* avx2_kernels() {
    static constexpr Kernels kernels{
        "avx2", l2_squared_avx2, dot_avx2, l1_avx2, cosine_avx2, dot_int8_avx2, sums_where_avx2};
    const bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return supported ? &kernels : nullptr;
}

const Kernels* avx512_kernels() {
    static constexpr Kernels kernels{
        "avx512",
        l2_squared_avx512,
        dot_avx512,
        l1_avx512,
        cosine_avx512,
        dot_int8_avx512,
        sums_where_avx512};
    const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    return supported ? &kernels : nullptr;
}

const Kernels* avx512_vnni_kernels() {
    static constexpr Kernels kernels{
        "avx512 vnni",
        l2_squared_avx512,
        dot_avx512,
        l1_avx512,
        cosine_avx512,
        dot_int8_vnni,
        sums_where_vnni};
    const bool supported = avx512_kernels() != nullptr && __builtin_cpu_supports("avx512vnni");
    return supported ? &kernels : nullptr;
}

}  // namespace veer::index

#else

namespace veer::index {

const Kernels* avx2_kernels() {
    return nullptr;
}

const Kernels* avx512_kernels() {
    return nullptr;
}

const Kernels* avx512_vnni_kernels() {
    return nullptr;
}

}  // namespace veer::index

#endif
