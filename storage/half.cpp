#include "storage/half.hpp"

#include <bit>
#include <cmath>

namespace veer::storage {

namespace {

constexpr int fraction_bits = 10;
constexpr int bias = 15;
constexpr std::uint32_t exponent_all = 31;

}  // namespace

float half_value(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000U) << 16U;
    const std::uint32_t exponent = (half >> fraction_bits) & exponent_all;
    const std::uint32_t fraction = half & 0x3FFU;
    if (exponent == 0) {
        const float magnitude = std::ldexp(static_cast<float>(fraction), 1 - bias - fraction_bits);
        return sign == 0 ? magnitude : -magnitude;
    }
    const std::uint32_t widened = exponent == exponent_all ? 255 : exponent - bias + 127;
    return std::bit_cast<float>(sign | widened << 23U | fraction << 13U);
}

std::optional<std::uint16_t> nearest_half(float value) {
    // From here on the nearest half is infinite: halfway between the largest and its successor.
    constexpr float overflow = 65'520;
    const float magnitude = std::fabs(value);
    if (!(magnitude < overflow)) {
        return std::nullopt;
    }
    const auto sign = static_cast<std::uint32_t>(std::signbit(value) ? 0x8000U : 0U);
    // In steps of the half's last place, which for the smallest ones is that of 2^-14.
    const int exponent = magnitude < 0x1p-14F ? 1 - bias : std::ilogb(magnitude);
    const float steps = std::nearbyint(std::ldexp(magnitude, fraction_bits - exponent));
    // A carry out of the fraction is the next exponent's zero fraction; a subnormal has exponent 0.
    const auto base = static_cast<std::uint32_t>(exponent + bias - 1) << fraction_bits;
    return static_cast<std::uint16_t>(sign | (base + static_cast<std::uint32_t>(steps)));
}

}  // namespace veer::storage
