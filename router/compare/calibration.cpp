#include "router/compare/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace veer::router::compare {

namespace {

/// Place by place as far: rows may change places where they tie.
bool agree(const Rows& first, const Rows& second, const Tolerance& tolerance) {
    return std::equal(
        first.begin(),
        first.end(),
        second.begin(),
        second.end(),
        [&tolerance](const index::Hit& one, const index::Hit& other) {
            return tolerance.same(one.distance, other.distance);
        }
    );
}

double at_quantile(const std::vector<double>& sorted, double quantile) {
    if (sorted.empty()) {
        return 0;
    }
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(std::ceil(quantile * last))];
}

Calibration::Finding finding(std::string measure, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return {
        .measure = std::move(measure),
        .samples = values.size(),
        .median = at_quantile(values, 0.5),
        .p99 = at_quantile(values, 0.99),
        .most = values.empty() ? 0 : values.back(),
        .verdict = {}};
}

Calibration::Finding share(std::string measure, std::uint64_t part, std::uint64_t whole) {
    const double most = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
    return {
        .measure = std::move(measure),
        .samples = whole,
        .median = most,
        .p99 = most,
        .most = most,
        .verdict = {}};
}

}  // namespace

void Calibration::add(const Mismatch& first, const Mismatch& second) {
    ++searches_;
    const Tolerance& tolerance = first.answers.tolerance;
    self_differing_ += agree(first.answers.postgres, second.answers.postgres, tolerance) ? 0 : 1;
    hanging_ += first.judgement.tolerance_matters ? 1 : 0;
    if (!first.answers.veer) {
        return;
    }
    std::unordered_map<std::string_view, double> of_veer;
    for (const index::Hit& hit : *first.answers.veer) {
        of_veer.emplace(hit.key, hit.distance);
    }
    for (const index::Hit& hit : first.answers.postgres) {
        const auto found = of_veer.find(hit.key);
        if (found == of_veer.end() || first.answers.changed.keys.contains(hit.key)) {
            continue;  // a row in motion may be at another distance
        }
        const double difference = std::abs(hit.distance - found->second);
        const double larger = std::max(std::abs(hit.distance), std::abs(found->second));
        relative_.push_back(larger > 0 ? difference / larger : 0);
        const double slack = tolerance.at(larger);
        of_slack_.push_back(slack > 0 ? difference / slack : 0);
    }
}

std::vector<Calibration::Finding> Calibration::findings() const {
    Finding relative = finding("difference of one row's distances : the distance", relative_);
    Finding slack = finding("the same : the tolerance", of_slack_);
    slack.allowed = 1;
    slack.verdict = slack.samples == 0 ? "not measured"
                    : slack.most <= 1  ? "the tolerance covers it"
                                       : "rows at one distance are taken for different";
    Finding self =
        share("searches that Postgres answers otherwise a second time", self_differing_, searches_);
    self.verdict = self_differing_ == 0 ? "Postgres agrees with itself"
                                        : "noise of Postgres' own, or rows in motion";
    Finding hanging = share(
        "searches whose verdict hangs on the tolerance, ten times either way", hanging_, searches_
    );
    hanging.verdict = hanging_ == 0 ? "it does not matter" : "look at their distances: MISMATCH n";
    return {relative, slack, self, hanging};
}

}  // namespace veer::router::compare
