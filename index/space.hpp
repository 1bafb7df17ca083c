#pragma once

#include "index/bit_kernels.hpp"
#include "index/error.hpp"
#include "index/kernels.hpp"
#include "index/metric.hpp"
#include "storage/vector.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace veer::index {

/// Vectors of one type and dimension under one metric, as the graph stores them:
///
///     code:  elements (elements.hpp) | one more
///
///     vector, halfvec, sparsevec     the inverse norm, only for cosine; 0 where no float holds it
///     bit                            how many bits are set
///
/// Two distances live here. `walk` is what the graph compares: float32, monotonic in the metric, no
/// root, never NaN. `reported` is what a client sees: pgvector's formula (QUERIES.md B.4). They
/// part where float32 ends: beyond lengths of about 1e19 or below 1e-23 the formula of cosine says
/// NaN, while the walk knows who is near, as pgvector's index of normalised vectors does. What L2
/// and the inner product lose there (infinite, or zero) pgvector's index loses as well.
class Space {
  public:
    /// `dimensions` counts elements (element_count()). Hamming and Jaccard are of bit, the others
    /// of the other types; of sparsevec where `kind` says so. Requires 1 <= dimensions <= 16,000.
    Space(
        Metric metric,
        std::uint32_t dimensions,
        storage::VectorKind kind = storage::VectorKind::vector
    );

    Metric metric() const { return metric_; }

    std::uint32_t dimensions() const { return dimensions_; }

    /// False where a vector has as many elements as it needs: sparsevec.
    bool fixed_size() const { return form_ != Form::sparse; }

    /// Whether the elements are floats, one for each dimension.
    bool dense() const { return form_ == Form::dense; }

    /// Elements of one code, where its size is fixed.
    std::size_t code_floats() const { return std::size_t{dimensions_} + 1; }

    /// Elements of the code of this vector.
    static std::size_t code_floats(std::span<const float> vector) { return vector.size() + 1; }

    /// The vector that a code was made of.
    std::span<const float> vector_of(const float* code) const;

    const Kernels& kernels() const { return kernels_; }

    /// What makes a vector comparable: its inverse norm under cosine, else 1.
    double scale(const float* code) const;

    /// Says why a vector cannot be searched for: wrong_dimensions, not_finite or zero_norm.
    Result<void> check(std::span<const float> vector) const;

    /// Writes the code of a checked vector.
    void encode(std::span<const float> vector, float* code) const;

    /// Smaller is nearer; both are codes. Overflow counts as infinitely far.
    float walk(const float* a, const float* b) const;

    /// pgvector's distance of two codes. NaN where pgvector says NaN.
    double reported(const float* a, const float* b) const;

  private:
    enum class Form : std::uint8_t { dense, bits, sparse };

    static Form form_of(Metric metric, storage::VectorKind kind);

    /// Behind the elements of a code, its inverse norm, or 0.
    float inverse_norm(const float* code) const {
        const std::span<const float> vector = vector_of(code);
        return vector.data()[vector.size()];
    }

    std::size_t bytes() const { return std::size_t{dimensions_} * sizeof(float); }

    float l2_squared(const float* a, const float* b) const;
    float dot(const float* a, const float* b) const;
    double exact_dot(const float* a, const float* b) const;
    float walked_cosine(const float* a, const float* b) const;
    float l1(const float* a, const float* b) const;
    CosineParts cosine(const float* a, const float* b) const;
    double hamming(const float* a, const float* b) const;
    double jaccard(const float* a, const float* b) const;
    std::span<const float> numbers_of(std::span<const float> vector) const;

    Metric metric_;
    Form form_;
    std::uint32_t dimensions_;
    Kernels kernels_;
    BitKernels bit_kernels_;
};

}  // namespace veer::index
