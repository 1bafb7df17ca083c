#include "router/plan_cache.hpp"

#include "router/cutover/evidence.hpp"

namespace veer::router {

std::shared_ptr<const Plan> PlanCache::plan(std::string_view normalised_text) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = by_shape_.find(normalised_text);
        if (found != by_shape_.end()) {
            entries_.splice(entries_.begin(), entries_, found->second);
            return *found->second;
        }
    }
    auto plan = std::make_shared<const Plan>(Plan{
        .shape = std::string(normalised_text),
        .recognition = parser::recognise(normalised_text),
        .shape_id = cutover::shape_id(normalised_text)});
    if (plan->shape.size() > shape_bytes_max) {
        return plan;
    }
    const std::lock_guard lock(mutex_);
    if (by_shape_.contains(plan->shape)) {
        return plan;
    }
    entries_.push_front(plan);
    by_shape_.emplace(plan->shape, entries_.begin());
    if (entries_.size() > entries_max) {
        by_shape_.erase(entries_.back()->shape);
        entries_.pop_back();
    }
    return plan;
}

}  // namespace veer::router
