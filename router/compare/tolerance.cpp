#include "router/compare/tolerance.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router::compare {

namespace {

constexpr double relative_per_dimension = 2e-9;
constexpr double relative_min = 1e-6;
constexpr double absolute_per_dimension = 4e-9;

double squared_norm(std::span<const float> vector) {
    double sum = 0;
    for (const float each : vector) {
        sum += static_cast<double>(each) * static_cast<double>(each);
    }
    return sum;
}

}  // namespace

double Tolerance::at(double distance) const {
    return relative * std::abs(distance) + absolute;
}

bool Tolerance::same(double a, double b) const {
    return a == b || std::abs(a - b) <= at(std::max(std::abs(a), std::abs(b)));
}

bool Tolerance::nearer(double a, double b) const {
    return a < b && !same(a, b);
}

Tolerance Tolerance::scaled(double factor) const {
    return {.relative = relative * factor, .absolute = absolute * factor};
}

Tolerance tolerance_for(index::Metric metric, std::span<const float> query) {
    const auto dimensions = static_cast<double>(query.size());
    Tolerance tolerance{
        .relative = std::max(relative_min, relative_per_dimension * dimensions), .absolute = 0};
    switch (metric) {
        case index::Metric::l2:
        case index::Metric::l1:
        case index::Metric::hamming:
        case index::Metric::jaccard:
            break;
        case index::Metric::cosine:
            tolerance.absolute = std::max(relative_min, absolute_per_dimension * dimensions);
            break;
        case index::Metric::inner_product:
            tolerance.absolute =
                std::max(relative_min, absolute_per_dimension * dimensions) * squared_norm(query);
            break;
    }
    return tolerance;
}

}  // namespace veer::router::compare
