#pragma once

#include "router/compare/load.hpp"
#include "router/compare/pace.hpp"

#include <chrono>
#include <cstdint>

namespace veer::proxy::compare {

/// The calling thread gives way to all others from now on.
void give_way();

/// Seconds of processor time of the calling thread.
double thread_seconds();

/// For how long something has been in flight as LoadBudget counts it: since it began, without the
/// time in which it could delay nobody.
class Flight {
  public:
    /// So long nothing worked: it waited for the stream.
    void waited(std::chrono::nanoseconds time) { spared_ns_ += time.count(); }

    /// So long it rested, of its own.
    void rested(std::chrono::nanoseconds time);

    std::int64_t in_flight_ns() const;

  private:
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::int64_t spared_ns_ = 0;
};

/// Sleeps where a Pace says so: what a long computation of this thread calls now and then.
class Slices {
  public:
    /// `share` of one processor; rests are told to `flight`, which outlives this.
    Slices(double share, Flight& flight);

    void breathe();

  private:
    router::compare::Pace pace_;
    Flight& flight_;
};

}  // namespace veer::proxy::compare
