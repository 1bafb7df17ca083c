#pragma once

#include "router/cutover/histogram.hpp"

#include <cstdint>
#include <random>

namespace veer::router::cutover {

/// Recall@10 of one search after another, from one seed.
class Simulated {
  public:
    enum class Kind : std::uint8_t {
        hard_queries,  ///< all losses are those of one search in ten
        everywhere,    ///< each neighbour of each search may be missed
    };

    Simulated(std::uint64_t seed, Kind kind, double mean) : random_(seed), hard_(0.1), kind_(kind) {
        const double each = kind == Kind::hard_queries ? 1.0 - 10.0 * (1.0 - mean) : mean;
        found_ = std::binomial_distribution<int>(10, each);
    }

    double next() {
        if (kind_ == Kind::hard_queries && !hard_(random_)) {
            return 1.0;
        }
        return found_(random_) / 10.0;
    }

    std::size_t next_bin() { return Histogram::bin_of(next(), Histogram::Rounding::down); }

  private:
    std::mt19937_64 random_;
    std::bernoulli_distribution hard_;
    std::binomial_distribution<int> found_;
    Kind kind_;
};

}  // namespace veer::router::cutover
