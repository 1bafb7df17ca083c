#include "router/compare/ignored.hpp"

#include "router/cutover/evidence.hpp"

#include <algorithm>
#include <utility>

namespace veer::router::compare {

namespace {

bool may_be_ignored(Difference difference) {
    const Severity severity = severity_of(difference);
    return severity != Severity::excluded && severity != Severity::equal &&
           difference != Difference::invisible_row && difference != Difference::filter_violation;
}

}  // namespace

std::string Ignored::add(Rule rule, std::int64_t now_us) {
    if (!may_be_ignored(rule.difference)) {
        return "differences of class " + std::string(to_string(rule.difference)) +
               " cannot be ignored";
    }
    if (rule.until_us <= now_us || rule.until_us - now_us > lasting_max_us) {
        return "UNTIL is a time from now on, at most 90 days ahead";
    }
    if (rule.reason.empty()) {
        return "a REASON is needed";
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(rules_, [&](const Rule& each) {
        return each.until_us <= now_us ||
               (each.difference == rule.difference && each.shape == rule.shape);
    });
    if (rules_.size() >= rules_max) {
        return "there are " + std::to_string(rules_max) + " already";
    }
    rule.hits = 0;
    rules_.push_back(std::move(rule));
    return {};
}

bool Ignored::remove(Difference difference, std::uint64_t shape) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(rules_, [&](const Rule& each) {
               return each.difference == difference && each.shape == shape;
           }) > 0;
}

void Ignored::apply(Mismatch& comparison) {
    Judgement& judgement = comparison.judgement;
    if (severity_of(judgement.verdict) == Severity::equal || judgement.excluded()) {
        return;
    }
    const std::uint64_t shape = cutover::shape_id(comparison.shape);
    const std::lock_guard lock(mutex_);
    bool any = false;
    for (Rule& rule : rules_) {
        std::uint32_t& rows = judgement.rows.at(static_cast<std::size_t>(rule.difference));
        if (rule.shape == shape && comparison.taken_us < rule.until_us && rows > 0) {
            rows = 0;
            ++rule.hits;
            any = true;
        }
    }
    if (!any) {
        return;
    }
    judgement.verdict = Difference::ignored;
    for (std::size_t i = difference_count; i-- > 0;) {
        const auto difference = static_cast<Difference>(i);
        if (judgement.rows.at(i) > 0 && may_be_ignored(difference)) {
            judgement.verdict = difference;
        }
    }
    for (const Difference never : {Difference::filter_violation, Difference::invisible_row}) {
        if (judgement.count(never) > 0) {
            judgement.verdict = never;
        }
    }
    if (judgement.verdict == Difference::ignored) {
        judgement.rows = {};
        judgement.rows.at(static_cast<std::size_t>(Difference::ignored)) = 1;
    }
}

std::vector<Ignored::Rule> Ignored::rules(std::int64_t now_us) const {
    const std::lock_guard lock(mutex_);
    std::vector<Rule> holding;
    for (const Rule& rule : rules_) {
        if (now_us < rule.until_us) {
            holding.push_back(rule);
        }
    }
    return holding;
}

}  // namespace veer::router::compare
