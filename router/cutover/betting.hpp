#pragma once

#include "router/cutover/histogram.hpp"

#include <array>
#include <cstddef>
#include <optional>

namespace veer::router::cutover {

/// Evidence that the mean of values in [0, 1] is above m, by betting against "at most m"
/// (Waudby-Smith and Ramdas, arXiv 2010.09686):
///
///     E_n(m) = 1/J * sum over j of product over i of (1 + lambda_j * (x_i - m))
///
/// While the mean is at most m, E reaches 100 with probability at most 1 %, however often and
/// whenever one looks. So operators may stare at it, and a gate may be asked after every query.
///
/// The lambdas are fixed (24 of them, geometric, up to 0.98 / m), so E depends on the histogram of
/// the x_i alone: a gate's whole state is 101 counters that anybody can recompute it from.
inline constexpr std::size_t stakes = 24;

/// log E. -infinity never: the stakes cannot ruin.
double log_evidence(const Histogram& seen, double m);

/// log of the E that proves with this confidence: 0.99 -> log 100.
double log_evidence_needed(double confidence);

/// The largest m, in ten-thousandths, that the mean is proven to be above; 0 where none is.
double lower_bound(const Histogram& seen, double confidence);

/// The smallest m that the mean is proven to be below; 1 where none is.
double upper_bound(const Histogram& seen, double confidence);

/// How many more values like those seen until log_evidence() is enough; nothing where they do not
/// lead there.
std::optional<std::uint64_t> more_needed(const Histogram& seen, double m, double confidence);

/// The same evidence against one m, kept up to date value by value.
class Bet {
  public:
    explicit Bet(double m);

    void add(std::size_t bin, double times = 1);

    double log_evidence() const;

    /// Growth of the best stake so far; negative where every stake loses.
    double best() const;

  private:
    std::array<std::array<double, stakes>, Histogram::bins> gains_{};
    std::array<double, stakes> wealth_{};  // logarithms
};

}  // namespace veer::router::cutover
