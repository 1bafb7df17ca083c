#pragma once

#include <cstdint>
#include <limits>

namespace veer::index {

/// Number of a vector in its segment = hnswlib's internal id = hnswlib's label.
using Slot = std::uint32_t;

inline constexpr Slot no_slot = std::numeric_limits<Slot>::max();

/// Number of a transaction: the first is 1.
using Sequence = std::uint64_t;

inline constexpr Sequence never = std::numeric_limits<Sequence>::max();

}  // namespace veer::index
