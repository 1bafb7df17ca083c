#pragma once

#include "router/compare/histogram.hpp"
#include "router/compare/mismatch_store.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace veer::router::compare {

/// What the comparisons of one shape and size have come to.
struct ShapeRecord {
    std::string route;
    std::uint64_t shape = 0;  ///< cutover::shape_id()
    std::uint64_t k = 0;      ///< LIMIT and OFFSET
    RecallHistogram recall = {};
    RecallHistogram pg_recall = {};
    RecallHistogram pooled_recall = {};  ///< of the best of both, where nobody judged
    LatencyHistogram veer_ms = {};
    LatencyHistogram postgres_ms = {};
};

/// Comparisons by shape and k, beside the Ledger's by route: which searches lose, where a mean
/// hides it. Bounded: the first `shapes_max` pairs of a route; further ones count in the Ledger
/// only. Thread-safe; readers get copies. Lives as long as the process.
class ShapeLedger {
  public:
    static constexpr std::size_t shapes_max = 32;

    void add(const Mismatch& comparison);

    std::vector<ShapeRecord> records() const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<ShapeRecord>> routes_;
};

}  // namespace veer::router::compare
