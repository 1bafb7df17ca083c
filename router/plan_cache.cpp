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
    parser::Recognition recognition = parser::recognise(normalised_text);
    const bool refused = std::holds_alternative<parser::Refusal>(recognition);
    auto plan = std::make_shared<const Plan>(Plan{
        .shape = std::string(normalised_text),
        .recognition = std::move(recognition),
        .call = refused ? parser::read_function_call(normalised_text) : std::nullopt,
        .table_function = parser::read_table_function(normalised_text),
        .shape_id = cutover::shape_id(normalised_text)});
    if (plan->shape.size() > shape_bytes_max || !plan->is_search_or_call()) {
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

std::vector<std::shared_ptr<const Plan>> PlanCache::plans() const {
    const std::lock_guard lock(mutex_);
    return {entries_.begin(), entries_.end()};
}

}  // namespace veer::router
