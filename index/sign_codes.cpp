#include "index/sign_codes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

namespace veer::index {

namespace {

constexpr std::size_t word_bits = 64;
constexpr std::size_t rounds = 4;
/// How many deviations a bound is from the distance.
constexpr float deviations = 2.5F;

/// The deviation of one component's error, as a share of the components' mean size: a vector turned
/// at random is to its signs as cos^-1(0.8), and sqrt(1 - 0.8^2) of it lies across.
constexpr float error_share = 0.6F;

std::size_t words_of(std::uint32_t dimensions) {
    return (dimensions + word_bits - 1) / word_bits;
}

/// A sum and a difference in place of two values, for each pair.
void add_and_subtract(float* __restrict low, float* __restrict high, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float a = low[i];
        const float b = high[i];
        low[i] = a + b;
        high[i] = a - b;
    }
}

/// The transform of Walsh and Hadamard, length kept; `count` is a power of two and at least four.
/// The steps among four neighbours are one: loops of one or two are what a compiler leaves alone.
void transform(float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; i += 4) {
        float* const four = values + i;
        const float a = four[0] + four[1];
        const float b = four[0] - four[1];
        const float c = four[2] + four[3];
        const float d = four[2] - four[3];
        four[0] = a + c;
        four[1] = b + d;
        four[2] = a - c;
        four[3] = b - d;
    }
    for (std::size_t half = 4; half < count; half *= 2) {
        for (std::size_t first = 0; first < count; first += 2 * half) {
            add_and_subtract(values + first, values + first + half, half);
        }
    }
    const float shrink = 1 / std::sqrt(static_cast<float>(count));
    std::transform(values, values + count, values, [&](float x) { return x * shrink; });
}

float squares_of(const std::vector<float>& values) {
    double sum = 0;
    for (const float x : values) {
        sum += static_cast<double>(x) * static_cast<double>(x);
    }
    return static_cast<float>(sum);
}

}  // namespace

SignCodes::SignCodes(const Space& space, const Sq8& sq8)
    : sq8_{sq8},
      kernels_{best_kernels()},
      words_{words_of(space.dimensions())},
      scale_{space.metric() == Metric::l2 ? 2.0F : 1.0F},
      flips_(rounds * words_ * word_bits),
      places_(words_ * word_bits) {
    std::mt19937 random{1};  // codes are never stored, but tests are to repeat
    std::generate(flips_.begin(), flips_.end(), [&] { return random() % 2 == 0 ? 1.0F : -1.0F; });
    std::iota(places_.begin(), places_.end(), 0U);
    std::shuffle(places_.begin(), places_.end(), random);
}

std::size_t SignCodes::code_bytes(std::uint32_t dimensions) {
    return words_of(dimensions) * sizeof(std::uint64_t) + sizeof(Tail);
}

/// Signs flipped at random, and the first and the last dimensions transformed in turns: whatever
/// lay in few dimensions lies in all. Where the two parts share few dimensions, what was more in
/// one stays there; so half way through all are shuffled. In memory that each thread keeps.
const std::vector<float>& SignCodes::turned(const float* vector) const {
    thread_local std::vector<float> values;
    thread_local std::vector<float> shuffled;
    values.assign(words_ * word_bits, 0);
    sq8_.centred(vector, values.data());
    const std::size_t part = std::bit_floor(values.size());
    for (std::size_t round = 0; round < rounds; ++round) {
        if (round == rounds / 2) {
            shuffled.resize(values.size());
            std::transform(places_.begin(), places_.end(), shuffled.begin(), [](std::uint32_t at) {
                return values[at];
            });
            values.swap(shuffled);
        }
        const float* const flips = flips_.data() + round * values.size();
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] *= flips[i];
        }
        transform(values.data() + (round % 2 == 0 ? 0 : values.size() - part), part);
    }
    return values;
}

void SignCodes::encode(const float* vector, const std::int8_t* code, std::byte* signs) const {
    const std::vector<float>& values = turned(vector);
    float sizes = 0;
    for (std::size_t word = 0; word < words_; ++word) {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < word_bits; ++i) {
            const float value = values[word * word_bits + i];
            sizes += std::abs(value);
            bits |= std::uint64_t{value > 0 ? 1U : 0U} << i;
        }
        std::memcpy(signs + word * sizeof bits, &bits, sizeof bits);
    }
    const Tail tail{
        std::isnormal(sizes) ? scale_ * squares_of(values) / sizes : 0, sq8_.offset(code)};
    std::memcpy(signs + words_ * sizeof(std::uint64_t), &tail, sizeof tail);
}

void SignCodes::prepare(const float* vector, const std::int8_t* code, Query& query) const {
    const std::vector<float>& values = turned(vector);
    query.step = code_step(values);
    query.values.resize(values.size());
    quantise(values, query.step, query.values.data());
    const std::int32_t total =
        std::accumulate(query.values.begin(), query.values.end(), std::int32_t{0});
    query.total = query.step * static_cast<float>(total);
    query.offset = sq8_.offset(code);
    query.margin = deviations * error_share * std::sqrt(squares_of(values));
}

void SignCodes::bounds(const Query& query, std::span<const std::byte* const> codes, float* bounds)
    const {
    std::array<std::int32_t, block> sums;
    kernels_.sums_where(codes.data(), codes.size(), query.values.data(), words_, sums.data());
    for (std::size_t i = 0; i < codes.size(); ++i) {
        Tail tail;
        std::memcpy(
            static_cast<void*>(&tail), codes[i] + words_ * sizeof(std::uint64_t), sizeof tail
        );
        const float sum = 2 * query.step * static_cast<float>(sums[i]) - query.total;
        bounds[i] = query.offset + tail.offset - tail.factor * (sum + query.margin);
    }
}

}  // namespace veer::index
