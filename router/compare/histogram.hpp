#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace veer::router::compare {

/// Durations in log-linear buckets, as HdrHistogram has them: 16 for each power of two of
/// microseconds, so that a quantile is at most a sixteenth too high.
///
///     us    0 1 2 ... 15 | 16 17 ... 31 | 32 34 ... 62 | 64 68 ... | up to 2^36 us (19 h)
///
/// Percentiles are never averaged: histograms are added.
class LatencyHistogram {
  public:
    void add(double milliseconds);
    void add(const LatencyHistogram& other);

    std::uint64_t count() const { return count_; }

    double max_ms() const { return max_ms_; }

    /// The duration that a share `quantile` of all does not exceed; 0 where there is none.
    double quantile_ms(double quantile) const;

    /// Share of durations up to here: the empirical distribution, for a plot.
    double share_up_to_ms(double milliseconds) const;

  private:
    static constexpr std::size_t steps = 16;
    static constexpr std::size_t powers = 33;
    static constexpr std::size_t buckets = steps * powers;

    static std::size_t bucket_of(double milliseconds);
    static double upper_edge_ms(std::size_t bucket);

    std::array<std::uint32_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    double max_ms_ = 0;
};

/// Recall by hundredths, rounded down: 101 counters hold all that a gate needs (CUTOVER.md 2.6).
class RecallHistogram {
  public:
    static constexpr std::size_t bins = 101;

    void add(double recall);
    void add(const RecallHistogram& other);

    std::uint64_t count() const { return count_; }

    const std::array<std::uint64_t, bins>& counts() const { return counts_; }

    double mean() const;  ///< of the values as they were; 1 where there is none

    /// The recall, in hundredths, that a share `quantile` of the searches does not exceed; 1 where
    /// there is none.
    double quantile(double quantile) const;

    double share_perfect() const;
    double share_below(double recall) const;

  private:
    std::array<std::uint64_t, bins> counts_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

}  // namespace veer::router::compare
