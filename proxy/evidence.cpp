#include "proxy/evidence.hpp"

#include <algorithm>

namespace veer::proxy {

namespace {

using router::compare::Difference;
using router::cutover::HardDifference;

std::optional<HardDifference> hard_difference(Difference difference) {
    switch (difference) {
        case Difference::invisible_row:
            return HardDifference::invisible_row;
        case Difference::filter_violation:
            return HardDifference::filter_violation;
        case Difference::wrong_distance:
            return HardDifference::wrong_distance;
        case Difference::payload:
            return HardDifference::payload;
        case Difference::missing_row:
            return HardDifference::missing_row;
        case Difference::duplicate_id:
            return HardDifference::duplicate_id;
        case Difference::unsorted:
            return HardDifference::unsorted;
        case Difference::error_veer_only:
            return HardDifference::error_veer_only;
        default:
            return std::nullopt;
    }
}

}  // namespace

router::cutover::Comparison to_evidence(const router::compare::Mismatch& comparison) {
    const router::compare::Judgement& judgement = comparison.judgement;
    const router::compare::Durations& durations = comparison.durations;
    router::cutover::Comparison evidence{
        .shape = router::cutover::shape_id(comparison.shape),
        .veer_ms = durations.veer,
        .postgres_ms = std::max(0.0, durations.postgres - durations.round_trip),
        .hard = hard_difference(judgement.verdict),
        .excluded =
            router::compare::severity_of(judgement.verdict) == router::compare::Severity::excluded};
    if (judgement.judged) {
        evidence.recall = judgement.recall;
        evidence.postgres_recall = judgement.pg_recall;
    } else {
        evidence.recall_at_most = judgement.recall;
    }
    return evidence;
}

std::optional<router::compare::GoldenSet::Exact> exact_of(
    const router::compare::Mismatch& comparison
) {
    if (!comparison.answers.exact) {
        return std::nullopt;
    }
    return router::compare::GoldenSet::Exact{
        .as_of = comparison.applied,
        .asked = router::compare::exact_rows(comparison.answers.k),
        .rows = *comparison.answers.exact};
}

}  // namespace veer::proxy
