#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace veer::index {

/// A sparse vector's elements (elements.hpp), read where they lie:
///
///     count | count x index, ascending | count x value
class SparseElements {
  public:
    explicit SparseElements(const float* elements)
        : indices_{elements + 1}, size_{std::bit_cast<std::uint32_t>(elements[0])} {}

    std::size_t size() const { return size_; }

    std::uint32_t index(std::size_t i) const { return std::bit_cast<std::uint32_t>(indices_[i]); }

    float value(std::size_t i) const { return indices_[size_ + i]; }

    const float* values() const { return indices_ + size_; }

  private:
    const float* indices_;
    std::size_t size_;
};

/// The sum of both(x, y) over the indices of a and b alike, and of only(x) over the others, in
/// float32 and in order, as pgvector adds up (sparsevec.c).
template <class Both, class Only>
float merged_sum(SparseElements a, SparseElements b, Both both, Only only) {
    float sum = 0;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() && j < b.size()) {
        const std::uint32_t of_a = a.index(i);
        const std::uint32_t of_b = b.index(j);
        if (of_a == of_b) {
            sum += both(a.value(i), b.value(j));
            ++i;
            ++j;
        } else if (of_a < of_b) {
            sum += only(a.value(i));
            ++i;
        } else {
            sum += only(b.value(j));
            ++j;
        }
    }
    for (; i < a.size(); ++i) {
        sum += only(a.value(i));
    }
    for (; j < b.size(); ++j) {
        sum += only(b.value(j));
    }
    return sum;
}

inline float sparse_l2_squared(SparseElements a, SparseElements b) {
    return merged_sum(
        a, b, [](float x, float y) { return (x - y) * (x - y); }, [](float x) { return x * x; }
    );
}

inline float sparse_l1(SparseElements a, SparseElements b) {
    return merged_sum(
        a,
        b,
        [](float x, float y) { return std::fabs(x - y); },
        [](float x) { return std::fabs(x); }
    );
}

/// Ends with the shorter one: what only one has adds nothing.
template <class Sum = float>
Sum sparse_dot(SparseElements a, SparseElements b) {
    Sum sum = 0;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        const std::uint32_t of_a = a.index(i);
        const std::uint32_t of_b = b.index(j);
        if (of_a == of_b) {
            sum += static_cast<Sum>(a.value(i)) * static_cast<Sum>(b.value(j));
        }
        i += of_a <= of_b ? 1 : 0;
        j += of_b <= of_a ? 1 : 0;
    }
    return sum;
}

}  // namespace veer::index
