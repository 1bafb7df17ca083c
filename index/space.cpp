#include "index/space.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace veer::index {

namespace {

/// In double, as pgvector's vector_norm: a vector of 1e-30s has a norm.
double norm_of(std::span<const float> vector) {
    double sum = 0;
    for (const float x : vector) {
        sum += static_cast<double>(x) * static_cast<double>(x);
    }
    return std::sqrt(sum);
}

}  // namespace

Space::Space(Metric metric, std::uint32_t dimensions)
    : metric_{metric}, dimensions_{dimensions}, kernels_{best_kernels()} {}

Result<void> Space::check(std::span<const float> vector) const {
    if (vector.size() != dimensions_) {
        return make_error_code(Errc::wrong_dimensions);
    }
    if (std::isnormal(kernels_.dot(vector.data(), vector.data(), dimensions_))) {
        return {};  // neither NaN nor infinity nor zero can be inside
    }
    const bool finite =
        std::all_of(vector.begin(), vector.end(), [](float x) { return std::isfinite(x); });
    if (!finite) {
        return make_error_code(Errc::not_finite);
    }
    if (metric_ == Metric::cosine && norm_of(vector) == 0) {
        return make_error_code(Errc::zero_norm);
    }
    return {};
}

void Space::encode(std::span<const float> vector, float* code) const {
    std::copy(vector.begin(), vector.end(), code);
    code[dimensions_] = 0;
    if (metric_ != Metric::cosine) {
        return;
    }
    const float squares = kernels_.dot(code, code, dimensions_);
    const double norm =
        std::isnormal(squares) ? std::sqrt(static_cast<double>(squares)) : norm_of(vector);
    code[dimensions_] = static_cast<float>(1.0 / norm);
}

float Space::walk(const float* a, const float* b) const {
    float distance = 0;
    switch (metric_) {
        case Metric::l2:
            distance = kernels_.l2_squared(a, b, dimensions_);
            break;
        case Metric::cosine:
            distance = 1 - kernels_.dot(a, b, dimensions_) * a[dimensions_] * b[dimensions_];
            break;
        case Metric::inner_product:
            distance = -kernels_.dot(a, b, dimensions_);
            break;
        case Metric::l1:
            distance = kernels_.l1(a, b, dimensions_);
            break;
    }
    // The walk's heaps need a total order.
    return std::isnan(distance) ? std::numeric_limits<float>::infinity() : distance;
}

double Space::reported(const float* a, const float* b) const {
    switch (metric_) {
        case Metric::l2:
            return std::sqrt(static_cast<double>(kernels_.l2_squared(a, b, dimensions_)));
        case Metric::cosine: {
            const CosineParts parts = kernels_.cosine(a, b, dimensions_);
            const double norms =
                static_cast<double>(parts.norm_a) * static_cast<double>(parts.norm_b);
            const double similarity = static_cast<double>(parts.dot) / std::sqrt(norms);
            // Not std::clamp: NaN must stay NaN.
            return 1.0 - (similarity > 1 ? 1.0 : similarity < -1 ? -1.0 : similarity);
        }
        case Metric::inner_product:
            return -static_cast<double>(kernels_.dot(a, b, dimensions_));
        case Metric::l1:
            return static_cast<double>(kernels_.l1(a, b, dimensions_));
    }
    return 0;
}

}  // namespace veer::index
