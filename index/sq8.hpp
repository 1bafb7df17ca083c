#pragma once

#include "index/space.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace veer::index {

/// What one step of a byte stands for, so that the largest of the values has the largest byte.
float code_step(std::span<const float> values);

/// Writes a byte for each value, the nearest number of steps, and never one outside of -127 to 127,
/// whatever overflow has made of a value. Where `step` is no normal number, zeros for all that are
/// finite.
void quantise(std::span<const float> values, float step, std::int8_t* codes);

/// Codes of one byte a dimension, a quarter of the vector, for the walk.
///
///     code:   int8 x dimensions | padding to 8 | factor | offset | padding to a cache line
///     stands for   centre + step * code             (for cosine, of the vector scaled to length 1)
///
/// The centre is the mean of a sample, so that the bytes are spent on what differs; the step is the
/// vector's own. Three distances come out of one product of integers:
///
///     distance(a, b) = a.offset + b.offset - a.factor * b.factor * (a.code . b.code)
///
/// in the unit of Space::walk, which it approximates. It is exact for the decoded vectors, so near
/// pairs have smaller errors than far ones (L2, cosine). L1 is no such product: fits() says so.
class Sq8 {
  public:
    /// Whether codes can stand for vectors of this space.
    static bool fits(const Space& space) { return space.dense() && space.metric() != Metric::l1; }

    /// The centre is the mean of `sample`, codes of Space. Requires fits(), and a sample.
    Sq8(const Space& space, std::span<const float* const> sample);

    /// The centre is known already. Requires as many floats as dimensions.
    Sq8(const Space& space, std::span<const float> centre);

    const std::vector<float>& centre() const { return centre_; }

    /// How well codes tell who is near: for some vectors of the sample, the share of their ten
    /// nearest that are among the twenty nearest by code. About 1 where dimensions are alike; small
    /// where one drowns the others.
    double agreement(std::span<const float* const> sample) const;

    /// A multiple of a cache line.
    static std::size_t code_bytes(std::uint32_t dimensions);

    /// Encodes a code of Space.
    void encode(const float* vector, std::int8_t* code) const;

    /// Writes as many floats as dimensions: the vector less the centre, scaled as codes are.
    void centred(const float* vector, float* moved) const;

    /// What a code adds to all of its distances.
    float offset(const std::int8_t* code) const { return tail(code).offset; }

    /// Smaller is nearer. Overflow counts as infinitely far.
    float distance(const std::int8_t* a, const std::int8_t* b) const;

  private:
    void measure_centre();

    struct Tail {
        float factor = 0;
        float offset = 0;
    };

    static std::size_t tail_at(std::uint32_t dimensions);
    Tail tail(const std::int8_t* code) const;

    Space space_;
    std::vector<float> centre_;
    double centre_squares_ = 0;
};

}  // namespace veer::index
