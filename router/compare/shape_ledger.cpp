#include "router/compare/shape_ledger.hpp"

#include "router/cutover/evidence.hpp"

#include <algorithm>

namespace veer::router::compare {

namespace {

void add_to(ShapeRecord& record, const Judgement& judgement, const Durations& durations) {
    if (judgement.verdict != Difference::error_veer_only) {
        record.veer_ms.add(durations.veer);
        record.postgres_ms.add(durations.postgres);
    }
    if (judgement.excluded()) {
        return;
    }
    if (judgement.judged) {
        record.recall.add(judgement.recall);
        record.pg_recall.add(judgement.pg_recall);
    } else {
        record.pooled_recall.add(judgement.recall);
    }
}

}  // namespace

void ShapeLedger::add(const Mismatch& comparison) {
    const std::uint64_t shape = cutover::shape_id(comparison.shape);
    const std::uint64_t k = comparison.answers.k;
    const std::lock_guard lock(mutex_);
    std::vector<ShapeRecord>& records = routes_[comparison.route];
    auto found = std::find_if(records.begin(), records.end(), [&](const ShapeRecord& each) {
        return each.shape == shape && each.k == k;
    });
    if (found == records.end()) {
        if (records.size() == shapes_max) {
            return;
        }
        found = records.insert(
            records.end(), ShapeRecord{.route = comparison.route, .shape = shape, .k = k}
        );
    }
    add_to(*found, comparison.judgement, comparison.durations);
}

std::vector<ShapeRecord> ShapeLedger::records() const {
    const std::lock_guard lock(mutex_);
    std::vector<ShapeRecord> all;
    for (const auto& [route, records] : routes_) {
        all.insert(all.end(), records.begin(), records.end());
    }
    return all;
}

}  // namespace veer::router::compare
