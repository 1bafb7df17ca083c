#include "index/space.hpp"

#include "index/sparse_distance.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace veer::index {

namespace {

/// In double, as pgvector's vector_norm: a vector of 1e-30s has a norm.
double norm_of(std::span<const float> numbers) {
    double sum = 0;
    for (const float x : numbers) {
        sum += static_cast<double>(x) * static_cast<double>(x);
    }
    return std::sqrt(sum);
}

/// Between these, no sum of products of elements overflows, and no product that vanishes matters.
constexpr float squares_min = 1e-30F;
constexpr float squares_max = 1e37F;
constexpr float inverse_norms_min = 1e-37F;
constexpr float inverse_norms_max = 1e33F;

/// Of a code of bits: how many are set.
std::uint32_t set_bits(const float* code, std::uint32_t dimensions) {
    return std::bit_cast<std::uint32_t>(code[dimensions]);
}

}  // namespace

Space::Form Space::form_of(Metric metric, storage::VectorKind kind) {
    if (metric == Metric::hamming || metric == Metric::jaccard) {
        return Form::bits;
    }
    return kind == storage::VectorKind::sparsevec ? Form::sparse : Form::dense;
}

Space::Space(Metric metric, std::uint32_t dimensions, storage::VectorKind kind)
    : metric_{metric},
      form_{form_of(metric, kind)},
      dimensions_{dimensions},
      kernels_{best_kernels()},
      bit_kernels_{best_bit_kernels()} {}

std::span<const float> Space::vector_of(const float* code) const {
    const std::size_t size =
        form_ == Form::sparse ? 1 + 2 * SparseElements{code}.size() : std::size_t{dimensions_};
    return {code, size};
}

/// The elements that are floats.
std::span<const float> Space::numbers_of(std::span<const float> vector) const {
    switch (form_) {
        case Form::dense:
            return vector;
        case Form::bits:
            return {};
        case Form::sparse:
            return vector.last(SparseElements{vector.data()}.size());
    }
    return {};
}

Result<void> Space::check(std::span<const float> vector) const {
    const std::size_t wanted = vector.empty() ? 1 : vector_of(vector.data()).size();
    if (vector.size() != wanted) {
        return make_error_code(Errc::wrong_dimensions);
    }
    if (dense() && std::isnormal(kernels_.dot(vector.data(), vector.data(), dimensions_))) {
        return {};  // neither NaN nor infinity nor zero can be inside
    }
    const std::span<const float> numbers = numbers_of(vector);
    const bool finite =
        std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
    if (!finite) {
        return make_error_code(Errc::not_finite);
    }
    if (metric_ == Metric::cosine && norm_of(numbers) == 0) {
        return make_error_code(Errc::zero_norm);
    }
    return {};
}

void Space::encode(std::span<const float> vector, float* code) const {
    std::copy(vector.begin(), vector.end(), code);
    float& last = code[vector.size()];
    last = 0;
    if (form_ == Form::bits) {
        const auto set = static_cast<std::uint32_t>(bit_kernels_.shared(code, code, bytes()));
        last = std::bit_cast<float>(set);
        return;
    }
    if (metric_ != Metric::cosine) {
        return;
    }
    const std::span<const float> numbers = numbers_of({code, vector.size()});
    const float squares = kernels_.dot(numbers.data(), numbers.data(), numbers.size());
    const bool fits = squares > squares_min && squares < squares_max;
    const double norm = fits ? std::sqrt(static_cast<double>(squares)) : norm_of(numbers);
    const auto inverse = static_cast<float>(1.0 / norm);
    last = std::isnormal(inverse) ? inverse : 0;
}

double Space::scale(const float* code) const {
    if (metric_ != Metric::cosine) {
        return 1;
    }
    if (const float inverse = inverse_norm(code); inverse != 0) {
        return inverse;
    }
    const double norm = norm_of(numbers_of(vector_of(code)));
    return norm == 0 ? 0 : 1 / norm;  // of a slot whose row has gone before a restart
}

float Space::l2_squared(const float* a, const float* b) const {
    return dense() ? kernels_.l2_squared(a, b, dimensions_)
                   : sparse_l2_squared(SparseElements{a}, SparseElements{b});
}

float Space::dot(const float* a, const float* b) const {
    return dense() ? kernels_.dot(a, b, dimensions_)
                   : sparse_dot(SparseElements{a}, SparseElements{b});
}

double Space::exact_dot(const float* a, const float* b) const {
    if (!dense()) {
        return sparse_dot<double>(SparseElements{a}, SparseElements{b});
    }
    double sum = 0;
    for (std::size_t i = 0; i < dimensions_; ++i) {
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
}

/// As if both had been brought to length 1 before, as pgvector's index does: in double where the
/// products of float32 would overflow or vanish.
float Space::walked_cosine(const float* a, const float* b) const {
    const float inverse_norms = inverse_norm(a) * inverse_norm(b);
    if (inverse_norms > inverse_norms_min && inverse_norms < inverse_norms_max) {
        return 1 - dot(a, b) * inverse_norms;
    }
    return static_cast<float>(1 - exact_dot(a, b) * scale(a) * scale(b));
}

float Space::l1(const float* a, const float* b) const {
    return dense() ? kernels_.l1(a, b, dimensions_)
                   : sparse_l1(SparseElements{a}, SparseElements{b});
}

CosineParts Space::cosine(const float* a, const float* b) const {
    if (dense()) {
        return kernels_.cosine(a, b, dimensions_);
    }
    const auto squares = [&](const float* code) {
        const SparseElements sparse{code};
        return kernels_.dot(sparse.values(), sparse.values(), sparse.size());
    };
    return {dot(a, b), squares(a), squares(b)};
}

double Space::hamming(const float* a, const float* b) const {
    return static_cast<double>(bit_kernels_.differing(a, b, bytes()));
}

double Space::jaccard(const float* a, const float* b) const {
    const std::uint64_t shared = bit_kernels_.shared(a, b, bytes());
    if (shared == 0) {
        return 1;  // of two zero strings, too
    }
    const std::uint64_t either =
        std::uint64_t{set_bits(a, dimensions_)} + set_bits(b, dimensions_) - shared;
    return 1 - static_cast<double>(shared) / static_cast<double>(either);
}

float Space::walk(const float* a, const float* b) const {
    float distance = 0;
    switch (metric_) {
        case Metric::l2:
            distance = l2_squared(a, b);
            break;
        case Metric::cosine:
            distance = walked_cosine(a, b);
            break;
        case Metric::inner_product:
            distance = -dot(a, b);
            break;
        case Metric::l1:
            distance = l1(a, b);
            break;
        case Metric::hamming:
            distance = static_cast<float>(hamming(a, b));
            break;
        case Metric::jaccard:
            distance = static_cast<float>(jaccard(a, b));
            break;
    }
    // The walk's heaps need a total order.
    return std::isnan(distance) ? std::numeric_limits<float>::infinity() : distance;
}

double Space::reported(const float* a, const float* b) const {
    switch (metric_) {
        case Metric::l2:
            return std::sqrt(static_cast<double>(l2_squared(a, b)));
        case Metric::cosine: {
            const CosineParts parts = cosine(a, b);
            const double norms =
                static_cast<double>(parts.norm_a) * static_cast<double>(parts.norm_b);
            const double similarity = static_cast<double>(parts.dot) / std::sqrt(norms);
            // Not std::clamp: NaN must stay NaN.
            return 1.0 - (similarity > 1 ? 1.0 : similarity < -1 ? -1.0 : similarity);
        }
        case Metric::inner_product:
            return -static_cast<double>(dot(a, b));
        case Metric::l1:
            return static_cast<double>(l1(a, b));
        case Metric::hamming:
            return hamming(a, b);
        case Metric::jaccard:
            return jaccard(a, b);
    }
    return 0;
}

}  // namespace veer::index
