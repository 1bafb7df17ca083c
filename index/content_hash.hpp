#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace veer::index {

/// A 64-bit hash of bytes, the same in every build: it is written into checkpoints. It finds
/// accidents, not attackers.
inline std::uint64_t content_hash(std::string_view bytes) {
    constexpr std::uint64_t odd_a = 0x9E3779B97F4A7C15U;
    constexpr std::uint64_t odd_b = 0xC2B2AE3D27D4EB4FU;
    constexpr unsigned fold = 32;
    const auto mixed = [](std::uint64_t x) {
        x = (x ^ (x >> fold)) * odd_b;
        return x ^ (x >> fold);
    };
    // Two lanes, so that one multiplication need not wait for the other.
    std::uint64_t lanes[2] = {bytes.size() * odd_a, odd_b};
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= sizeof lanes; left -= sizeof lanes, at += sizeof lanes) {
        std::uint64_t words[2];
        std::memcpy(words, at, sizeof words);
        for (std::size_t lane = 0; lane < 2; ++lane) {
            lanes[lane] = (lanes[lane] ^ words[lane]) * odd_a;
            lanes[lane] ^= lanes[lane] >> fold;
        }
    }
    std::uint64_t tail[2] = {};
    if (left > 0) {
        std::memcpy(tail, at, left);
    }
    lanes[0] = mixed(lanes[0] ^ tail[0]) * odd_a;
    lanes[1] = mixed(lanes[1] ^ tail[1]);
    return mixed(lanes[0] + lanes[1]);
}

inline std::uint64_t content_hash(std::span<const float> vector) {
    return content_hash(std::string_view{
        reinterpret_cast<const char*>(vector.data()), vector.size_bytes()});
}

}  // namespace veer::index
