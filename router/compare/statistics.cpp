#include "router/compare/statistics.hpp"

#include <algorithm>

namespace veer::router::compare {

namespace {

double mean(double sum, std::uint64_t count) {
    return count == 0 ? 1 : sum / static_cast<double>(count);
}

}  // namespace

void RouteStatistics::add(
    const Judgement& judgement, const Durations& durations, storage::Lsn applied
) {
    ++compared;
    first_lsn = compared == 1 ? applied : first_lsn;
    last_lsn = std::max(last_lsn, applied);
    served_by_veer += durations.served_by_veer ? 1U : 0U;
    ++verdicts.at(static_cast<std::size_t>(judgement.verdict));
    for (std::size_t i = 0; i < difference_count; ++i) {
        with.at(i) += judgement.rows.at(i) > 0 ? 1U : 0U;
    }
    tolerance_matters += judgement.tolerance_matters ? 1U : 0U;
    const bool cold = cold_left > 0;
    cold_left -= cold ? 1 : 0;
    if (!cold && judgement.verdict != Difference::error_veer_only) {
        veer_ms.add(durations.veer);
        postgres_ms.add(durations.postgres);
        round_trip_ms.add(durations.round_trip);
        veer_slower += durations.veer > durations.postgres ? 1U : 0U;
        if (durations.served) {
            (durations.served_by_veer ? served_veer_ms : served_postgres_ms).add(*durations.served);
        }
    }
    if (judgement.excluded()) {
        ++excluded;
        return;
    }
    overlap_sum += judgement.overlap;
    rank_overlap_sum += judgement.rank_overlap;
    distance_ratio_sum += judgement.distance_ratio;
    if (judgement.judged) {
        ++judged;
        recall.add(judgement.recall);
        pg_recall.add(judgement.pg_recall);
    } else {
        pooled_recall.add(judgement.recall);
    }
}

std::uint64_t RouteStatistics::count(Severity severity) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < difference_count; ++i) {
        sum += severity_of(static_cast<Difference>(i)) == severity ? verdicts.at(i) : 0;
    }
    return sum;
}

double RouteStatistics::excluded_share() const {
    return compared == 0 ? 0 : static_cast<double>(excluded) / static_cast<double>(compared);
}

double RouteStatistics::mean_overlap() const {
    return mean(overlap_sum, counted());
}

double RouteStatistics::mean_rank_overlap() const {
    return mean(rank_overlap_sum, counted());
}

double RouteStatistics::mean_distance_ratio() const {
    return mean(distance_ratio_sum, counted());
}

}  // namespace veer::router::compare
