#include "router/cutover/detector.hpp"

#include <algorithm>
#include <numeric>

namespace veer::router::cutover {

Detector::Detector(double floor, double between_alarms)
    : floor_(floor), between_alarms_(between_alarms), factors_(Histogram::bins) {
    constexpr double stake_most = 0.98;  // of what would ruin
    constexpr double stake_ratio = 0.75;
    double stake = stake_most / std::max(1e-6, 1.0 - floor);
    for (std::size_t j = 0; j < stakes; ++j, stake *= stake_ratio) {
        for (std::size_t bin = 0; bin < Histogram::bins; ++bin) {
            factors_.at(bin).at(j) = 1.0 + stake * (floor - Histogram::value_of(bin));
        }
    }
}

bool Detector::add(double value) {
    if (tripped_) {
        return true;
    }
    ++seen_;
    const auto& factors = factors_[Histogram::bin_of(value, Histogram::Rounding::up)];
    double sum = 0;
    for (std::size_t j = 0; j < stakes; ++j) {
        statistics_[j] = (1.0 + statistics_[j]) * factors[j];
        sum += statistics_[j];
    }
    tripped_ = sum >= between_alarms_ * stakes;
    return tripped_;
}

double Detector::statistic() const {
    return std::accumulate(statistics_.begin(), statistics_.end(), 0.0) / stakes;
}

void Detector::reset() {
    statistics_.fill(0);
    seen_ = 0;
    tripped_ = false;
}

}  // namespace veer::router::cutover
