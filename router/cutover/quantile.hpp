#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace veer::router::cutover {

/// A rolling quantile of durations: logarithmic buckets of 5 %, all halved whenever they have
/// counted `window` values, so that what is long past counts for little.
class Quantile {
  public:
    static constexpr std::uint32_t window = 2000;
    static constexpr std::uint32_t values_min = 50;

    explicit Quantile(double share) : share_(share) {}

    void add(double milliseconds);

    /// Nothing before `values_min` values.
    std::optional<double> value() const;

  private:
    static constexpr std::size_t buckets = 400;

    double share_;
    std::array<std::uint32_t, buckets> counts_{};
    std::uint32_t counted_ = 0;
};

}  // namespace veer::router::cutover
