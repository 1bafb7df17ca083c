#include "index/kernels_neon.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <sys/auxv.h>

#include <cmath>
#include <cstring>

// NEON belongs to every 64-bit ARM processor; the product of bytes by fours (SDOT, of ARMv8.2) does
// not, and is named by the functions that need it. Before 16, clang has it only where all is
// compiled for such processors.
#if defined(__ARM_FEATURE_DOTPROD)
#define VEER_DOTPROD
#elif !defined(__clang__) || __clang_major__ >= 16
#define VEER_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

namespace veer::index {

namespace {

float l2_squared_neon(const float* a, const float* b, std::size_t count) {
    float32x4_t s0 = vdupq_n_f32(0);
    float32x4_t s1 = s0;
    float32x4_t s2 = s0;
    float32x4_t s3 = s0;
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const float32x4_t d0 = vsubq_f32(vld1q_f32(a + i), vld1q_f32(b + i));
        const float32x4_t d1 = vsubq_f32(vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        const float32x4_t d2 = vsubq_f32(vld1q_f32(a + i + 8), vld1q_f32(b + i + 8));
        const float32x4_t d3 = vsubq_f32(vld1q_f32(a + i + 12), vld1q_f32(b + i + 12));
        s0 = vfmaq_f32(s0, d0, d0);
        s1 = vfmaq_f32(s1, d1, d1);
        s2 = vfmaq_f32(s2, d2, d2);
        s3 = vfmaq_f32(s3, d3, d3);
    }
    for (; i + 4 <= count; i += 4) {
        const float32x4_t d0 = vsubq_f32(vld1q_f32(a + i), vld1q_f32(b + i));
        s0 = vfmaq_f32(s0, d0, d0);
    }
    float sum = vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));
    for (; i < count; ++i) {
        const float difference = a[i] - b[i];
        sum += difference * difference;
    }
    return sum;
}

float dot_neon(const float* a, const float* b, std::size_t count) {
    float32x4_t s0 = vdupq_n_f32(0);
    float32x4_t s1 = s0;
    float32x4_t s2 = s0;
    float32x4_t s3 = s0;
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), vld1q_f32(b + i));
        s1 = vfmaq_f32(s1, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        s2 = vfmaq_f32(s2, vld1q_f32(a + i + 8), vld1q_f32(b + i + 8));
        s3 = vfmaq_f32(s3, vld1q_f32(a + i + 12), vld1q_f32(b + i + 12));
    }
    for (; i + 4 <= count; i += 4) {
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), vld1q_f32(b + i));
    }
    float sum = vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));
    for (; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

float l1_neon(const float* a, const float* b, std::size_t count) {
    float32x4_t s0 = vdupq_n_f32(0);
    float32x4_t s1 = s0;
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        s0 = vaddq_f32(s0, vabdq_f32(vld1q_f32(a + i), vld1q_f32(b + i)));
        s1 = vaddq_f32(s1, vabdq_f32(vld1q_f32(a + i + 4), vld1q_f32(b + i + 4)));
    }
    float sum = vaddvq_f32(vaddq_f32(s0, s1));
    for (; i < count; ++i) {
        sum += std::fabs(a[i] - b[i]);
    }
    return sum;
}

CosineParts cosine_neon(const float* a, const float* b, std::size_t count) {
    float32x4_t dot = vdupq_n_f32(0);
    float32x4_t norm_a = dot;
    float32x4_t norm_b = dot;
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const float32x4_t x = vld1q_f32(a + i);
        const float32x4_t y = vld1q_f32(b + i);
        dot = vfmaq_f32(dot, x, y);
        norm_a = vfmaq_f32(norm_a, x, x);
        norm_b = vfmaq_f32(norm_b, y, y);
    }
    CosineParts parts{vaddvq_f32(dot), vaddvq_f32(norm_a), vaddvq_f32(norm_b)};
    for (; i < count; ++i) {
        parts.dot += a[i] * b[i];
        parts.norm_a += a[i] * a[i];
        parts.norm_b += b[i] * b[i];
    }
    return parts;
}

/// Sixteen products, added two by two. Each half is widened first: two products of -128 by -128
/// would not fit into 16 bits together.
int32x4_t added_products(int32x4_t sum, int8x16_t a, int8x16_t b) {
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
    return vpadalq_s16(sum, vmull_high_s8(a, b));
}

std::int32_t dot_int8_neon(const std::int8_t* a, const std::int8_t* b, std::size_t count) {
    int32x4_t s0 = vdupq_n_s32(0);
    int32x4_t s1 = s0;
    std::size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        s0 = added_products(s0, vld1q_s8(a + i), vld1q_s8(b + i));
        s1 = added_products(s1, vld1q_s8(a + i + 16), vld1q_s8(b + i + 16));
    }
    for (; i + 16 <= count; i += 16) {
        s0 = added_products(s0, vld1q_s8(a + i), vld1q_s8(b + i));
    }
    std::int32_t sum = vaddvq_s32(vaddq_s32(s0, s1));
    for (; i < count; ++i) {
        sum += std::int32_t{a[i]} * std::int32_t{b[i]};
    }
    return sum;
}

#if defined(VEER_DOTPROD)
VEER_DOTPROD std::int32_t dot_int8_dotprod(
    const std::int8_t* a, const std::int8_t* b, std::size_t count
) {
    int32x4_t s0 = vdupq_n_s32(0);
    int32x4_t s1 = s0;
    int32x4_t s2 = s0;
    int32x4_t s3 = s0;
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        s0 = vdotq_s32(s0, vld1q_s8(a + i), vld1q_s8(b + i));
        s1 = vdotq_s32(s1, vld1q_s8(a + i + 16), vld1q_s8(b + i + 16));
        s2 = vdotq_s32(s2, vld1q_s8(a + i + 32), vld1q_s8(b + i + 32));
        s3 = vdotq_s32(s3, vld1q_s8(a + i + 48), vld1q_s8(b + i + 48));
    }
    for (; i + 16 <= count; i += 16) {
        s0 = vdotq_s32(s0, vld1q_s8(a + i), vld1q_s8(b + i));
    }
    std::int32_t sum = vaddvq_s32(vaddq_s32(vaddq_s32(s0, s1), vaddq_s32(s2, s3)));
    for (; i < count; ++i) {
        sum += std::int32_t{a[i]} * std::int32_t{b[i]};
    }
    return sum;
}

#endif

/// All ones in each of 16 bytes whose bit is set in two bytes of a row.
uint8x16_t mask_of(const std::byte* bits) {
    static constexpr std::uint8_t places[16] = {
        1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    std::uint8_t both[2];
    std::memcpy(both, bits, sizeof both);
    const uint8x16_t spread = vcombine_u8(vdup_n_u8(both[0]), vdup_n_u8(both[1]));
    return vtstq_u8(spread, vld1q_u8(places));
}

void sums_where_neon(
    const std::byte* const* rows,
    std::size_t count,
    const std::int8_t* values,
    std::size_t words,
    std::int32_t* sums
) {
    for (std::size_t row = 0; row < count; ++row) {
        int32x4_t sum = vdupq_n_s32(0);
        for (std::size_t word = 0; word < words; ++word) {
            // Four values of a byte each fit into 16 bits, added two by two.
            int16x8_t some = vdupq_n_s16(0);
            for (std::size_t part = 0; part < 4; ++part) {
                const int8x16_t all = vld1q_s8(values + word * 64 + part * 16);
                const uint8x16_t mask = mask_of(rows[row] + word * 8 + part * 2);
                some = vpadalq_s8(some, vandq_s8(all, vreinterpretq_s8_u8(mask)));
            }
            sum = vpadalq_s16(sum, some);
        }
        sums[row] = vaddvq_s32(sum);
    }
}

}  // namespace

const Kernels* neon_kernels() {
    static constexpr Kernels kernels{
        "neon", l2_squared_neon, dot_neon, l1_neon, cosine_neon, dot_int8_neon, sums_where_neon};
    return &kernels;
}

const Kernels* neon_dotprod_kernels() {
#if defined(VEER_DOTPROD)
    static constexpr Kernels kernels{
        "neon dotprod",
        l2_squared_neon,
        dot_neon,
        l1_neon,
        cosine_neon,
        dot_int8_dotprod,
        sums_where_neon};
    constexpr unsigned long dotprod = 1UL << 20U;  // HWCAP_ASIMDDP of the kernel's <asm/hwcap.h>
    return (getauxval(AT_HWCAP) & dotprod) != 0 ? &kernels : nullptr;
#else
    return nullptr;
#endif
}

}  // namespace veer::index

#else

namespace veer::index {

const Kernels* neon_kernels() {
    return nullptr;
}

const Kernels* neon_dotprod_kernels() {
    return nullptr;
}

}  // namespace veer::index

#endif
