#include "router/cutover/histogram.hpp"

#include "router/cutover/text.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace veer::router::cutover {

std::size_t Histogram::bin_of(double value, Rounding rounding) {
    constexpr double slack = 1e-9;  // 0.29 * 100 is 28.999999999999996
    constexpr double last = bins - 1;
    if (std::isnan(value)) {
        return rounding == Rounding::down ? 0 : bins - 1;
    }
    const double scaled = std::clamp(value, 0.0, 1.0) * last;
    const double rounded =
        rounding == Rounding::down ? std::floor(scaled + slack) : std::ceil(scaled - slack);
    return static_cast<std::size_t>(std::clamp(rounded, 0.0, last));
}

void Histogram::add(const Histogram& other) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
        counts_.at(bin) += other.counts_.at(bin);
    }
}

std::uint64_t Histogram::count() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

double Histogram::mean() const {
    double sum = 0;
    for (std::size_t bin = 0; bin < bins; ++bin) {
        sum += value_of(bin) * static_cast<double>(counts_.at(bin));
    }
    const std::uint64_t all = count();
    return all == 0 ? 0 : sum / static_cast<double>(all);
}

std::string to_text(const Histogram& histogram) {
    std::string text;
    for (std::size_t bin = 0; bin < Histogram::bins; ++bin) {
        if (histogram.at(bin) > 0) {
            text += (text.empty() ? "" : ",") + std::to_string(bin) + ':' +
                    std::to_string(histogram.at(bin));
        }
    }
    return text;
}

std::optional<Histogram> histogram_from_text(std::string_view text) {
    Histogram histogram;
    for (const std::string_view entry : split(text, ',')) {
        const std::size_t colon = entry.find(':');
        if (colon == std::string_view::npos) {
            return std::nullopt;
        }
        const auto bin = number_from_text<std::size_t>(entry.substr(0, colon));
        const auto count = number_from_text<std::uint64_t>(entry.substr(colon + 1));
        if (!bin || !count || *bin >= Histogram::bins) {
            return std::nullopt;
        }
        histogram.add(*bin, *count);
    }
    return histogram;
}

}  // namespace veer::router::cutover
