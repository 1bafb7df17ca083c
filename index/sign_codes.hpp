#pragma once

#include "index/kernels.hpp"
#include "index/space.hpp"
#include "index/sq8.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace veer::index {

/// Codes of one bit a dimension (RaBitQ, Gao & Long 2024), by which a search rules out most rows
/// without reading their codes of a byte a dimension:
///
///     code:   a bit for each dimension, to 64 | factor | offset
///     bit     whether the vector, less Sq8's centre and turned, is positive there
///
///     distance(query, row) ~ query.offset + row.offset - row.factor * sum(+-query.values)
///
/// in the unit of Space::walk. The turn spreads what a vector has over all dimensions, so that each
/// bit says as much as any other and errors are as of a normal distribution: the deviation of the
/// sum is known, and a bound is the distance less `deviations` of it.
///
/// A bound may be wrong, for one row in two hundred; which are the nearest is decided by Sq8 and
/// the vectors.
class SignCodes {
  public:
    /// Requires Sq8::fits(space), and that `sq8` is of this space; it must outlive this.
    SignCodes(const Space& space, const Sq8& sq8);

    /// A multiple of eight.
    static std::size_t code_bytes(std::uint32_t dimensions);

    /// A query, turned as the codes are.
    struct Query {
        std::vector<std::int8_t> values;
        float step = 0;    ///< of values
        float total = 0;   ///< of values, times step
        float offset = 0;  ///< Sq8's
        float margin = 0;  ///< what is subtracted for the error
    };

    /// `code` is of Sq8, of the same vector. Keeps the memory that `query` has.
    void prepare(const float* vector, const std::int8_t* code, Query& query) const;

    /// Writes the code of a vector, a code of Space; `code` is Sq8's of it.
    void encode(const float* vector, const std::int8_t* code, std::byte* signs) const;

    /// At most so many codes for bounds().
    static constexpr std::size_t block = 64;

    /// How far each row is at least. Requires as many codes as bounds, at most `block`.
    void bounds(const Query& query, std::span<const std::byte* const> codes, float* bounds) const;

  private:
    struct Tail {
        float factor = 0;
        float offset = 0;
    };

    const std::vector<float>& turned(const float* vector) const;

    const Sq8& sq8_;
    const Kernels& kernels_;
    std::size_t words_;
    float scale_;
    std::vector<float> flips_;           ///< +1 or -1, for each round of the turn
    std::vector<std::uint32_t> places_;  ///< where each value comes from, half way through it
};

}  // namespace veer::index
