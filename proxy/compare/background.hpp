#pragma once

#include "router/compare/pace.hpp"

namespace veer::proxy::compare {

/// The calling thread gives way to all others from now on.
void give_way();

/// Seconds of processor time of the calling thread.
double thread_seconds();

/// Sleeps where a Pace says so: what a long computation of this thread calls now and then.
class Slices {
  public:
    /// `share` of one processor.
    explicit Slices(double share);

    void breathe();

  private:
    router::compare::Pace pace_;
};

}  // namespace veer::proxy::compare
