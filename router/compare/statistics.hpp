#pragma once

#include "router/compare/histogram.hpp"
#include "router/compare/judgement.hpp"
#include "storage/lsn.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace veer::router::compare {

/// The durations of one comparison, in milliseconds.
struct Durations {
    /// The search in the index, without a network: the client's own where veer served it, else the
    /// processor time of one that was made for the comparison. The comparing threads wait behind
    /// clients, and that wait is not veer's slowness.
    double veer = 0;
    double postgres = 0;    ///< the same search on veer's own connection
    double round_trip = 0;  ///< of which is the way there and back: a statement that does nothing
    std::optional<double> served = std::nullopt;  ///< what the client waited
    bool served_by_veer = false;
};

/// What all comparisons of one route come to. Plain counters: they are copied to be shown.
///
/// Recall counts only what was not excluded, and is kept apart for searches that the exact answer
/// judged and for those that only the best of both did, which is an upper bound.
struct RouteStatistics {
    /// After a build caches are cold: so many comparisons say nothing of latency.
    static constexpr std::uint64_t cold_comparisons = 20;

    std::uint64_t cold_left = cold_comparisons;
    std::uint64_t compared = 0;
    std::uint64_t judged = 0;
    std::uint64_t excluded = 0;
    std::uint64_t tolerance_matters = 0;
    std::uint64_t served_by_veer = 0;
    std::array<std::uint64_t, difference_count> verdicts{};  ///< comparisons by their worst class
    std::array<std::uint64_t, difference_count> with{};      ///< comparisons with any of the class
    RecallHistogram recall;
    RecallHistogram pg_recall;
    RecallHistogram pooled_recall;
    LatencyHistogram veer_ms;
    LatencyHistogram postgres_ms;
    LatencyHistogram round_trip_ms;
    LatencyHistogram served_veer_ms;
    LatencyHistogram served_postgres_ms;
    std::uint64_t veer_slower = 0;  ///< of veer_ms.count()
    double overlap_sum = 0;
    double rank_overlap_sum = 0;
    double distance_ratio_sum = 0;
    storage::Lsn first_lsn;
    storage::Lsn last_lsn;

    void add(const Judgement& judgement, const Durations& durations, storage::Lsn applied);

    std::uint64_t count(Difference difference) const {
        return verdicts.at(static_cast<std::size_t>(difference));
    }

    /// Comparisons with a difference of this severity as their worst.
    std::uint64_t count(Severity severity) const;

    std::uint64_t counted() const { return compared - excluded; }

    double excluded_share() const;
    double mean_overlap() const;
    double mean_rank_overlap() const;
    double mean_distance_ratio() const;
};

}  // namespace veer::router::compare
