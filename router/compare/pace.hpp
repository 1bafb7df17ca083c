#pragma once

#include <cstdint>

namespace veer::router::compare {

/// When a thread that computes beside clients rests, and for how long: it works in short slices, so
/// that nobody waits long behind it, and takes no more than its share of one processor.
///
///     share 1/4    ▓░░░▓░░░▓░░░           each ▓ at least `slice_ns` of its processor time
///     made to wait ▓▒▒░░░░░░░░▓           ▒: others had the processor; then it rests the longer
///
/// Invariants:
/// 1. With a share of one or more there is no rest.
/// 2. No rest is longer than `rest_max_ns`: work that has begun comes to its end.
///
/// Pure: clocks are arguments, and whoever calls sleeps.
class Pace {
  public:
    static constexpr std::int64_t slice_ns = 250'000;
    static constexpr std::int64_t rest_max_ns = 20'000'000;
    /// A machine on which it had to wait has no processor to spare: so many times that wait.
    static constexpr std::int64_t rests_per_wait = 3;

    struct Clocks {
        std::int64_t now_ns = 0;    ///< of the machine, steady
        std::int64_t spent_ns = 0;  ///< processor time of the thread
    };

    /// `share` of one processor; it begins to work now.
    Pace(double share, Clocks clocks) : share_(share), begun_(clocks) {}

    /// After a rest.
    void begin(Clocks clocks) { begun_ = clocks; }

    /// While it works, the more often the shorter its slices: how long to rest now. Zero: go on.
    std::int64_t rest_ns(Clocks clocks) const;

  private:
    double share_;
    Clocks begun_;
};

}  // namespace veer::router::compare
