#pragma once

#include "router/cutover/histogram.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace veer::router::cutover {

/// Notices that the mean of values in [0, 1] has fallen below a floor (Shiryaev-Roberts, over a
/// mixture of stakes):
///
///     R_j <- (1 + R_j) * (1 + lambda_j * (floor - x))        trips when the mean of the R_j is
///                                                            at least `between_alarms`
///
/// 1. While the mean is at or above the floor, the expected number of values between false alarms
///    is at least `between_alarms`.
/// 2. It restarts at every value, so a long good past does not delay the notice of a bad present.
/// 3. Values off the grid are rounded up: towards no alarm.
class Detector {
  public:
    Detector(double floor, double between_alarms);

    /// True from the value on that trips it, until reset().
    bool add(double value);

    bool tripped() const { return tripped_; }

    double floor() const { return floor_; }

    /// Mean of the R_j: what is compared with `between_alarms`.
    double statistic() const;

    double threshold() const { return between_alarms_; }

    std::uint64_t seen() const { return seen_; }

    void reset();

  private:
    static constexpr std::size_t stakes = 24;

    double floor_;
    double between_alarms_;
    std::vector<std::array<double, stakes>> factors_;  // by bin
    std::array<double, stakes> statistics_{};
    std::uint64_t seen_ = 0;
    bool tripped_ = false;
};

}  // namespace veer::router::cutover
