#pragma once

#include "tests/bench/dataset.hpp"

#include <cstddef>
#include <string>

namespace veer::bench {

/// How clients ask. With a `rate` the load is open: searches arrive at times that were drawn before
/// (a Poisson process), whether or not the ones before are answered, and each is timed from when it
/// was due. Without, each client asks again as soon as it is answered, which takes all that the
/// machine has, and measures how it is divided.
struct LatencyOptions {
    std::string dsn;
    std::size_t clients = 1;  // each on its own thread
    std::size_t seconds = 4;
    std::size_t seed = 0;
    std::size_t rate = 0;  // searches a second of all clients together; 0: no pause
    std::string samples;   // a file to which each search's milliseconds are added; may be empty
};

struct Latencies {
    double median_ms = 0;
    double p99_ms = 0;
    std::size_t searches = 0;
};

/// What clients wait for searches for ten neighbours, each for a vector that was never asked for
/// before: comparisons leave out what was asked a moment ago. Another `seed`, other vectors.
Latencies measure_latencies(const LatencyOptions& options, const Dataset& dataset);

}  // namespace veer::bench
