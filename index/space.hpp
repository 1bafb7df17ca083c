#pragma once

#include "index/error.hpp"
#include "index/kernels.hpp"
#include "index/metric.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace veer::index {

/// Vectors of one dimension under one metric, as the graph stores them:
///
///     code:  float x dimensions | inverse norm        (the raw vector; the norm only for cosine)
///
/// Two distances live here. `walk` is what the graph compares: float32, monotonic in the metric, no
/// root, never NaN. `reported` is what a client sees: pgvector's formula (QUERIES.md B.4).
class Space {
  public:
    /// Requires 1 <= dimensions <= 16,000.
    Space(Metric metric, std::uint32_t dimensions);

    Metric metric() const { return metric_; }

    std::uint32_t dimensions() const { return dimensions_; }

    /// Floats of one code.
    std::size_t code_floats() const { return std::size_t{dimensions_} + 1; }

    const Kernels& kernels() const { return kernels_; }

    /// What makes a code's vector comparable: its inverse norm under cosine, else 1.
    float scale(const float* code) const {
        return metric_ == Metric::cosine ? code[dimensions_] : 1.0F;
    }

    /// Says why a vector cannot be searched for: wrong_dimensions, not_finite or zero_norm.
    Result<void> check(std::span<const float> vector) const;

    /// Writes the code of a checked vector.
    void encode(std::span<const float> vector, float* code) const;

    /// Smaller is nearer; both are codes. Overflow counts as infinitely far.
    float walk(const float* a, const float* b) const;

    /// pgvector's distance of two vectors (or codes). NaN where pgvector says NaN.
    double reported(const float* a, const float* b) const;

  private:
    Metric metric_;
    std::uint32_t dimensions_;
    Kernels kernels_;
};

}  // namespace veer::index
