#pragma once

#include <cstddef>
#include <cstdint>

namespace veer::index {

struct CosineParts {
    float dot = 0;
    float norm_a = 0;  ///< squared
    float norm_b = 0;  ///< squared
};

/// The inner loops for one instruction set. Pointers need no alignment. Sums of floats are kept in
/// float32 in several accumulators, so results differ between sets in the last bits, as pgvector's
/// own do between machines (QUERIES.md B.4); sums of integers are exact.
struct Kernels {
    const char* name;
    float (*l2_squared)(const float* a, const float* b, std::size_t count);
    float (*dot)(const float* a, const float* b, std::size_t count);
    float (*l1)(const float* a, const float* b, std::size_t count);
    CosineParts (*cosine)(const float* a, const float* b, std::size_t count);
    /// Requires count <= 65,536, so that no sum overflows.
    std::int32_t (*dot_int8)(const std::int8_t* a, const std::int8_t* b, std::size_t count);
    /// For each of `count` rows of bits, 64 a word, the sum of the values whose bits are set.
    /// Requires words <= 1,024.
    void (*sums_where
    )(const std::byte* const* rows,
      std::size_t count,
      const std::int8_t* values,
      std::size_t words,
      std::int32_t* sums);
};

/// Plain C++, on every machine.
const Kernels& scalar_kernels();

/// AVX2 with FMA, or nullptr where this processor or this build has none.
const Kernels* avx2_kernels();

/// AVX-512F and BW, or nullptr where this processor or this build has none.
const Kernels* avx512_kernels();

/// The same with VNNI for integers, or nullptr where this processor or this build has none.
const Kernels* avx512_vnni_kernels();

/// The fastest set of this processor, chosen at the first call.
const Kernels& best_kernels();

}  // namespace veer::index
