#pragma once

#include "router/compare/mismatch_store.hpp"
#include "router/compare/observation.hpp"
#include "router/compare/recent.hpp"
#include "router/compare/shape_ledger.hpp"
#include "router/compare/statistics.hpp"
#include "router/compare/targets.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router::compare {

/// What one route's comparisons have come to, as it is shown.
struct RouteRecord {
    std::string route;
    std::uint64_t sampled = 0;
    std::uint64_t repeated = 0;
    std::uint64_t shed = 0;
    std::string shed_why;  ///< "load 120, busy 3"; empty where none was
    std::uint64_t failed = 0;
    std::string trouble;  ///< why the last comparison failed; empty where it did not
    RouteStatistics statistics;
    std::optional<std::int64_t> since_us = {};  ///< where they are of a while: from then on
};

/// Everything known from comparisons, of all routes: written by those who compare, read by whoever
/// shows it. Thread-safe; readers get copies. Lives as long as the process.
class Ledger {
  public:
    static constexpr std::size_t keep_default = 200;

    Ledger() : mismatches_(keep_default) {}

    /// The counters of a route; the same for the same name.
    std::shared_ptr<Tally> tally(const std::string& route);

    /// Searches of all routes so far.
    std::uint64_t searches() const;

    void set_keep(std::size_t keep);

    /// What reports judge by.
    void set_targets(const Targets& targets);
    Targets targets() const;

    /// Counts a comparison, and keeps it where the answers differed.
    void add(Mismatch comparison);

    /// A comparison has failed, a sentence. False where the last one failed likewise.
    bool note_trouble(const std::string& route, const std::string& why);

    /// When the last comparison was made, in microseconds since 1970; 0: there was none.
    std::int64_t last_us() const;

    std::vector<RouteRecord> records() const;

    /// Of the comparisons from then on, as far back as they are kept; counters of what was not
    /// compared are not known of a while.
    std::vector<RouteRecord> records_since(std::int64_t from_us) const;
    std::vector<std::shared_ptr<const Mismatch>> mismatches() const;

    /// The comparisons by shape and k.
    std::vector<ShapeRecord> shapes() const { return shapes_.records(); }

    std::shared_ptr<const Mismatch> mismatch(std::uint64_t id) const;

  private:
    struct Entry {
        std::shared_ptr<Tally> tally = std::make_shared<Tally>();
        std::string trouble;
        RouteStatistics statistics;
    };

    ShapeLedger shapes_;
    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> routes_;
    MismatchStore mismatches_;
    RecentComparisons recent_;
    std::int64_t last_us_ = 0;
    Targets targets_;
};

}  // namespace veer::router::compare
