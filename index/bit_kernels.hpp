#pragma once

#include <cstddef>
#include <cstdint>

namespace veer::index {

/// Counts of bits over two strings of bits, for one instruction set. Pointers need no alignment.
struct BitKernels {
    const char* name;
    /// Bits that differ: pgvector's Hamming distance.
    std::uint64_t (*differing)(const void* a, const void* b, std::size_t bytes);
    /// Bits that are set in both.
    std::uint64_t (*shared)(const void* a, const void* b, std::size_t bytes);
};

/// Plain C++, on every machine.
const BitKernels& scalar_bit_kernels();

/// The POPCNT instruction, or nullptr where this processor or this build has none.
const BitKernels* popcnt_kernels();

/// AVX-512 VPOPCNTDQ, or nullptr where this processor or this build has none.
const BitKernels* avx512_popcnt_kernels();

/// The fastest set of this processor, chosen at the first call.
const BitKernels& best_bit_kernels();

}  // namespace veer::index
