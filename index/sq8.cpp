#include "index/sq8.hpp"

#include "index/agreement.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

namespace veer::index {

namespace {

constexpr std::size_t line_bytes = 64;
constexpr float code_max = 127;

std::size_t round_up(std::size_t value, std::size_t step) {
    return (value + step - 1) / step * step;
}

/// The largest in size. In eight lanes, so that it need not wait for each comparison.
float largest(const float* values, std::size_t count) {
    constexpr std::size_t lanes = 8;
    float most[lanes] = {};
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const float value = std::abs(values[i + lane]);
            most[lane] = value > most[lane] ? value : most[lane];
        }
    }
    for (; i < count; ++i) {
        most[0] = std::max(most[0], std::abs(values[i]));
    }
    return *std::max_element(std::begin(most), std::end(most));
}

}  // namespace

float code_step(std::span<const float> values) {
    return largest(values.data(), values.size()) / code_max;
}

void quantise(std::span<const float> values, float step, std::int8_t* codes) {
    const float inverse = std::isnormal(step) ? 1 / step : 0;
    // By way of integers of their own, as a byte that is written could be a part of any float.
    constexpr std::size_t block = 64;
    std::array<std::int32_t, block> rounded;
    for (std::size_t first = 0; first < values.size(); first += block) {
        const std::span some = values.subspan(first, std::min(block, values.size() - first));
        for (std::size_t i = 0; i < some.size(); ++i) {
            // Whatever overflow has made of the value.
            const float bounded = std::max(-code_max, std::min(code_max, some[i] * inverse));
            rounded[i] = static_cast<std::int32_t>(bounded + (bounded < 0 ? -0.5F : 0.5F));
        }
        for (std::size_t i = 0; i < some.size(); ++i) {
            codes[first + i] = static_cast<std::int8_t>(rounded[i]);
        }
    }
}

Sq8::Sq8(const Space& space, std::span<const float* const> sample)
    : space_{space}, centre_(space.dimensions()) {
    std::vector<double> sums(centre_.size());
    for (const float* const vector : sample) {
        const double scale = space_.scale(vector);
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] += scale * static_cast<double>(vector[i]);
        }
    }
    const auto count = static_cast<double>(sample.size());
    std::transform(sums.begin(), sums.end(), centre_.begin(), [&](double sum) {
        return static_cast<float>(sum / count);
    });
    measure_centre();
}

Sq8::Sq8(const Space& space, std::span<const float> centre)
    : space_{space}, centre_(centre.begin(), centre.end()) {
    measure_centre();
}

void Sq8::measure_centre() {
    for (const float x : centre_) {
        centre_squares_ += static_cast<double>(x) * static_cast<double>(x);
    }
}

std::size_t Sq8::tail_at(std::uint32_t dimensions) {
    return round_up(dimensions, alignof(Tail));
}

std::size_t Sq8::code_bytes(std::uint32_t dimensions) {
    return round_up(tail_at(dimensions) + sizeof(Tail), line_bytes);
}

Sq8::Tail Sq8::tail(const std::int8_t* code) const {
    Tail tail;
    std::memcpy(static_cast<void*>(&tail), code + tail_at(space_.dimensions()), sizeof tail);
    return tail;
}

void Sq8::centred(const float* vector, float* moved) const {
    const double exact = space_.scale(vector);
    const auto scale = static_cast<float>(exact);
    if (std::isnormal(scale)) {
        for (std::size_t i = 0; i < centre_.size(); ++i) {
            moved[i] = vector[i] * scale - centre_[i];
        }
        return;
    }
    for (std::size_t i = 0; i < centre_.size(); ++i) {
        moved[i] = static_cast<float>(static_cast<double>(vector[i]) * exact) - centre_[i];
    }
}

void Sq8::encode(const float* vector, std::int8_t* code) const {
    const std::size_t dimensions = space_.dimensions();
    thread_local std::vector<float> moved;
    moved.resize(dimensions);
    centred(vector, moved.data());
    const float step = code_step(moved);
    quantise(moved, step, code);
    std::memset(code + dimensions, 0, code_bytes(space_.dimensions()) - dimensions);
    const auto squares = static_cast<double>(space_.kernels().dot_int8(code, code, dimensions)) *
                         static_cast<double>(step) * static_cast<double>(step);
    Tail tail;
    switch (space_.metric()) {
        case Metric::l2:
            tail = {step * std::sqrt(2.0F), static_cast<float>(squares)};
            break;
        case Metric::cosine:
            tail = {step, static_cast<float>(squares / 2)};
            break;
        case Metric::inner_product: {
            const auto to_centre =
                static_cast<double>(space_.kernels().dot(moved.data(), centre_.data(), dimensions));
            tail = {step, static_cast<float>(-(to_centre + centre_squares_ / 2))};
            break;
        }
        case Metric::l1:
        case Metric::hamming:
        case Metric::jaccard:
            break;
    }
    std::memcpy(code + tail_at(space_.dimensions()), &tail, sizeof tail);
}

float Sq8::distance(const std::int8_t* a, const std::int8_t* b) const {
    const Tail of_a = tail(a);
    const Tail of_b = tail(b);
    const auto dot = static_cast<float>(space_.kernels().dot_int8(a, b, space_.dimensions()));
    const float distance = of_a.offset + of_b.offset - of_a.factor * of_b.factor * dot;
    return std::isnan(distance) ? std::numeric_limits<float>::infinity() : distance;
}

double Sq8::agreement(std::span<const float* const> sample) const {
    constexpr std::size_t asked_max = 32;
    const std::size_t others = std::min<std::size_t>(sample.size(), 1000);
    const std::size_t bytes = code_bytes(space_.dimensions());
    std::vector<std::int8_t> codes(others * bytes);
    for (std::size_t i = 0; i < others; ++i) {
        encode(sample[i], codes.data() + i * bytes);
    }
    Agreement agreement;
    for (std::size_t query = 0; query < others; query += (others + asked_max - 1) / asked_max) {
        agreement.ask(
            others,
            [&](std::size_t i) { return space_.walk(sample[query], sample[i]); },
            [&](std::size_t i) {
                return distance(codes.data() + query * bytes, codes.data() + i * bytes);
            }
        );
    }
    return agreement.share();
}

}  // namespace veer::index
