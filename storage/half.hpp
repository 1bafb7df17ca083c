#pragma once

#include <cstdint>
#include <optional>

namespace veer::storage {

/// IEEE 754 binary16, the element of halfvec:
///
///     sign 1 | exponent 5 (bias 15) | fraction 10
///
/// Every half is a float exactly. NaN and infinity become NaN and infinity.
float half_value(std::uint16_t half);

/// The nearest half, ties to even, as the processor's own conversion (pgvector's
/// Float4ToHalfUnchecked). Nothing where that is infinite, or the value is NaN: halfvec refuses
/// both.
std::optional<std::uint16_t> nearest_half(float value);

}  // namespace veer::storage
