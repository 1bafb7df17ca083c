#include "router/compare/ef_curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace veer::router::compare {

void EfPoint::add(double recall, double took_seconds) {
    ++searches;
    recall_sum += recall;
    recall_squares += recall * recall;
    seconds += took_seconds;
}

double EfPoint::recall() const {
    return searches == 0 ? 0 : recall_sum / static_cast<double>(searches);
}

double EfPoint::recall_at_least() const {
    constexpr double standard_errors = 3;
    if (searches == 0) {
        return 0;
    }
    const auto count = static_cast<double>(searches);
    const double variance = std::max(0.0, recall_squares / count - recall() * recall());
    return std::max(0.0, recall() - standard_errors * std::sqrt(variance / count));
}

double EfPoint::milliseconds() const {
    return searches == 0 ? 0 : 1000 * seconds / static_cast<double>(searches);
}

std::span<const std::size_t> efs_tried() {
    static constexpr std::array<std::size_t, 14> efs{
        10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000};
    return efs;
}

std::optional<std::size_t> least_ef(std::span<const EfPoint> curve, double recall) {
    std::optional<std::size_t> least;
    for (std::size_t i = curve.size(); i-- > 0;) {  // one that falls below again does not count
        const EfPoint& point = curve[i];
        if (point.searches < tuned_searches_min || point.recall_at_least() < recall) {
            break;
        }
        least = point.ef;
    }
    return least;
}

std::string curve_json(std::span<const EfPoint> curve) {
    std::string json = "{";
    for (const EfPoint& point : curve) {
        char pair[64];
        std::snprintf(pair, sizeof pair, "\"%zu\":%.4f", point.ef, point.recall());
        json += (json.size() > 1 ? "," : "") + std::string(pair);
    }
    return json + '}';
}

}  // namespace veer::router::compare
