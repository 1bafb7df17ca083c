#include "router/cutover/quantile.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router::cutover {

namespace {

constexpr double smallest = 0.001;  // ms
constexpr double growth = 1.05;

}  // namespace

void Quantile::add(double milliseconds) {
    if (!std::isfinite(milliseconds) || milliseconds < 0) {
        return;
    }
    const double position =
        std::log(std::max(milliseconds, smallest) / smallest) / std::log(growth);
    const auto bucket = std::min(static_cast<std::size_t>(position), buckets - 1);
    ++counts_.at(bucket);
    ++counted_;
    if (counted_ >= window) {
        counted_ = 0;
        for (std::uint32_t& count : counts_) {
            count /= 2;
            counted_ += count;
        }
    }
}

std::optional<double> Quantile::value() const {
    if (counted_ < values_min) {
        return std::nullopt;
    }
    const auto wanted = static_cast<std::uint32_t>(std::ceil(share_ * counted_));
    std::uint32_t below = 0;
    std::size_t bucket = 0;
    while (bucket < buckets - 1 && below + counts_.at(bucket) < wanted) {
        below += counts_.at(bucket);
        ++bucket;
    }
    return smallest * std::pow(growth, static_cast<double>(bucket + 1));
}

}  // namespace veer::router::cutover
