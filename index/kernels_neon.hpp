#pragma once

#include "index/kernels.hpp"

namespace veer::index {

/// NEON, of every 64-bit ARM processor; nullptr elsewhere.
const Kernels* neon_kernels();

/// The same with SDOT (ARMv8.2) for integers, or nullptr where this processor has none.
const Kernels* neon_dotprod_kernels();

}  // namespace veer::index
