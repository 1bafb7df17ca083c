#include "router/ef_learner.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router {

EfLearner::EfLearner(double target, std::uint32_t value) : target_{target} {
    const auto* const step = std::find(steps.begin(), steps.end(), value);
    used_ = step == steps.end() ? default_step : static_cast<std::size_t>(step - steps.begin());
}

void EfLearner::Step::add(double recall) {
    count += 1;
    const double before = recall - mean;
    mean += before / count;
    squares += before * (recall - mean);
    if (count >= static_cast<double>(window)) {
        count /= 2;
        squares /= 2;
    }
}

std::uint32_t EfLearner::value() const {
    return steps.at(used_);
}

std::uint32_t EfLearner::asked() const {
    return steps.at(trying_ && answers_ % 2 == 0 ? used_ - 1 : used_);
}

std::optional<bool> EfLearner::holds(const Step& step) const {
    if (step.count < static_cast<double>(enough)) {
        return std::nullopt;
    }
    const double error = 2 * std::sqrt(step.squares / step.count / step.count);
    if (step.mean - error >= target_) {
        return true;
    }
    return step.mean + error < target_ ? std::optional(false) : std::nullopt;
}

void EfLearner::note(double recall) {
    all_.at(trying_ && answers_ % 2 == 0 ? used_ - 1 : used_).add(recall);
    ++answers_;
    judge();
}

bool EfLearner::may_try_lower() const {
    if (used_ == 0) {
        return false;
    }
    const std::optional<std::uint64_t>& failed = all_.at(used_ - 1).failed;
    return !failed || answers_ - *failed > patience;
}

void EfLearner::judge() {
    Step& used = all_.at(used_);
    const std::optional<bool> ours = holds(used);
    if (ours == false) {
        used.failed = answers_;
        used.forget();
        trying_ = false;
        used_ += used_ + 1 < steps.size() ? 1U : 0U;
        all_.at(used_).forget();
        return;
    }
    if (!trying_) {
        trying_ = ours == true && may_try_lower();
        if (trying_) {
            all_.at(used_ - 1).forget();
        }
        return;
    }
    Step& lower = all_.at(used_ - 1);
    const std::optional<bool> its = holds(lower);
    if (!its && lower.count + 1 < static_cast<double>(window)) {
        return;
    }
    trying_ = false;
    if (its == true) {
        --used_;
    } else {
        lower.failed = answers_;
        lower.forget();
    }
}

}  // namespace veer::router
