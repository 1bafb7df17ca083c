#include "router/compare/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace veer::router::compare {

std::size_t LatencyHistogram::bucket_of(double milliseconds) {
    constexpr double microseconds_max = 68'719'476'735.0;  // 2^36 - 1
    const double wanted = milliseconds > 0 ? milliseconds * 1000.0 : 0;
    const auto value = static_cast<std::uint64_t>(std::min(wanted, microseconds_max));
    if (value < steps) {
        return value;
    }
    const auto shift = static_cast<std::size_t>(std::bit_width(value)) - 5;
    return steps * (shift + 1) + ((value >> shift) - steps);
}

double LatencyHistogram::upper_edge_ms(std::size_t bucket) {
    if (bucket < steps) {
        return static_cast<double>(bucket + 1) / 1000.0;
    }
    const std::size_t shift = bucket / steps - 1;
    const std::uint64_t edge = (bucket % steps + steps + 1) << shift;
    return static_cast<double>(edge) / 1000.0;
}

void LatencyHistogram::add(double milliseconds) {
    ++counts_.at(bucket_of(milliseconds));
    ++count_;
    max_ms_ = std::max(max_ms_, milliseconds);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < buckets; ++i) {
        counts_.at(i) += other.counts_.at(i);
    }
    count_ += other.count_;
    max_ms_ = std::max(max_ms_, other.max_ms_);
}

double LatencyHistogram::quantile_ms(double quantile) const {
    const auto rank =
        static_cast<std::uint64_t>(std::max(1.0, std::ceil(quantile * static_cast<double>(count_)))
        );
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        seen += counts_.at(i);
        if (seen >= rank) {
            return std::min(upper_edge_ms(i), max_ms_);
        }
    }
    return 0;
}

double LatencyHistogram::share_up_to_ms(double milliseconds) const {
    if (count_ == 0) {
        return 0;
    }
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets && upper_edge_ms(i) <= milliseconds; ++i) {
        seen += counts_.at(i);
    }
    return milliseconds >= max_ms_ ? 1 : static_cast<double>(seen) / static_cast<double>(count_);
}

void RecallHistogram::add(double recall) {
    constexpr double slack = 1e-9;  // 0.29 * 100 is 28.999...
    const double bounded = std::clamp(recall, 0.0, 1.0);
    ++counts_.at(static_cast<std::size_t>(std::floor(bounded * 100.0 + slack)));
    ++count_;
    sum_ += bounded;
}

void RecallHistogram::add(const RecallHistogram& other) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
        counts_.at(bin) += other.counts_.at(bin);
    }
    count_ += other.count_;
    sum_ += other.sum_;
}

double RecallHistogram::mean() const {
    return count_ == 0 ? 1 : sum_ / static_cast<double>(count_);
}

double RecallHistogram::quantile(double quantile) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bins; ++i) {
        seen += counts_.at(i);
        if (seen > 0 && static_cast<double>(seen) >= quantile * static_cast<double>(count_)) {
            return static_cast<double>(i) / 100.0;
        }
    }
    return 1;
}

double RecallHistogram::share_perfect() const {
    return count_ == 0 ? 1 : static_cast<double>(counts_.back()) / static_cast<double>(count_);
}

double RecallHistogram::share_below(double recall) const {
    if (count_ == 0) {
        return 0;
    }
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < bins && static_cast<double>(i) < recall * 100.0; ++i) {
        below += counts_.at(i);
    }
    return static_cast<double>(below) / static_cast<double>(count_);
}

}  // namespace veer::router::compare
