#include "index/bit_kernels.hpp"

#include <bit>
#include <cstring>
#include <functional>

#if defined(__x86_64__)
#include <immintrin.h>

// As in kernels_x86.cpp: the file compiles for a baseline x86-64 and runs on it.
#define VEER_POPCNT __attribute__((target("popcnt")))
#define VEER_VPOPCNT __attribute__((target("avx512f,avx512bw,avx512vpopcntdq")))
#endif

namespace veer::index {

namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

std::uint64_t word(const void* from, std::size_t at, std::size_t bytes = word_bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, static_cast<const std::byte*>(from) + at, bytes);
    return value;
}

template <class Combine>
std::uint64_t count(const void* a, const void* b, std::size_t bytes, Combine combine) {
    std::uint64_t sum = 0;
    std::size_t at = 0;
    for (; at + word_bytes <= bytes; at += word_bytes) {
        sum += static_cast<std::uint64_t>(std::popcount(combine(word(a, at), word(b, at))));
    }
    const std::uint64_t rest = combine(word(a, at, bytes - at), word(b, at, bytes - at));
    return sum + static_cast<std::uint64_t>(std::popcount(rest));
}

std::uint64_t differing(const void* a, const void* b, std::size_t bytes) {
    return count(a, b, bytes, std::bit_xor<>{});
}

std::uint64_t shared(const void* a, const void* b, std::size_t bytes) {
    return count(a, b, bytes, std::bit_and<>{});
}

const BitKernels& choose() {
    if (const BitKernels* const avx512 = avx512_popcnt_kernels()) {
        return *avx512;
    }
    if (const BitKernels* const popcnt = popcnt_kernels()) {
        return *popcnt;
    }
    return scalar_bit_kernels();
}

#if defined(__x86_64__)

VEER_POPCNT std::uint64_t differing_popcnt(const void* a, const void* b, std::size_t bytes) {
    std::uint64_t sum = 0;
    std::size_t at = 0;
    for (; at + word_bytes <= bytes; at += word_bytes) {
        sum += static_cast<std::uint64_t>(_mm_popcnt_u64(word(a, at) ^ word(b, at)));
    }
    const std::uint64_t rest = word(a, at, bytes - at) ^ word(b, at, bytes - at);
    return sum + static_cast<std::uint64_t>(_mm_popcnt_u64(rest));
}

VEER_POPCNT std::uint64_t shared_popcnt(const void* a, const void* b, std::size_t bytes) {
    std::uint64_t sum = 0;
    std::size_t at = 0;
    for (; at + word_bytes <= bytes; at += word_bytes) {
        sum += static_cast<std::uint64_t>(_mm_popcnt_u64(word(a, at) & word(b, at)));
    }
    const std::uint64_t rest = word(a, at, bytes - at) & word(b, at, bytes - at);
    return sum + static_cast<std::uint64_t>(_mm_popcnt_u64(rest));
}

constexpr std::size_t vector_bytes = 64;

/// The bytes from `at` on, up to a vector of them; zeros behind the last.
VEER_VPOPCNT __m512i loaded(const void* from, std::size_t at, std::size_t bytes) {
    const std::size_t left = bytes - at;
    const __mmask64 lanes =
        left >= vector_bytes ? ~__mmask64{0} : (__mmask64{1} << left) - __mmask64{1};
    return _mm512_maskz_loadu_epi8(lanes, static_cast<const std::byte*>(from) + at);
}

VEER_VPOPCNT std::uint64_t sum_of(__m512i v) {
    alignas(vector_bytes) std::uint64_t lanes[8];
    _mm512_store_si512(lanes, v);
    std::uint64_t sum = 0;
    for (const std::uint64_t lane : lanes) {
        sum += lane;
    }
    return sum;
}

VEER_VPOPCNT std::uint64_t differing_avx512(const void* a, const void* b, std::size_t bytes) {
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t at = 0; at < bytes; at += vector_bytes) {
        const __m512i bits = _mm512_xor_si512(loaded(a, at, bytes), loaded(b, at, bytes));
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(bits));
    }
    return sum_of(sum);
}

VEER_VPOPCNT std::uint64_t shared_avx512(const void* a, const void* b, std::size_t bytes) {
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t at = 0; at < bytes; at += vector_bytes) {
        const __m512i bits = _mm512_and_si512(loaded(a, at, bytes), loaded(b, at, bytes));
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(bits));
    }
    return sum_of(sum);
}

#endif

}  // namespace

const BitKernels& scalar_bit_kernels() {
    static constexpr BitKernels kernels{"scalar", differing, shared};
    return kernels;
}

#if defined(__x86_64__)

const BitKernels* popcnt_kernels() {
    static constexpr BitKernels kernels{"popcnt", differing_popcnt, shared_popcnt};
    return __builtin_cpu_supports("popcnt") ? &kernels : nullptr;
}

const BitKernels* avx512_popcnt_kernels() {
    static constexpr BitKernels kernels{"avx512 vpopcntdq", differing_avx512, shared_avx512};
    const bool supported = __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512vpopcntdq");
    return supported ? &kernels : nullptr;
}

#else

const BitKernels* popcnt_kernels() {
    return nullptr;
}

const BitKernels* avx512_popcnt_kernels() {
    return nullptr;
}

#endif

const BitKernels& best_bit_kernels() {
    static const BitKernels& best = choose();
    return best;
}

}  // namespace veer::index
