#include "router/compare/ledger.hpp"

#include <algorithm>
#include <utility>

namespace veer::router::compare {

std::shared_ptr<Tally> Ledger::tally(const std::string& route) {
    const std::lock_guard lock(mutex_);
    return routes_[route].tally;
}

void Ledger::set_keep(std::size_t keep) {
    const std::lock_guard lock(mutex_);
    mismatches_.set_keep(keep);
}

void Ledger::add(Mismatch comparison) {
    const Severity severity = severity_of(comparison.judgement.verdict);
    const std::lock_guard lock(mutex_);
    last_us_ = std::max(last_us_, comparison.taken_us);
    Entry& entry = routes_[comparison.route];
    entry.trouble.clear();
    entry.statistics.add(comparison.judgement, comparison.durations, comparison.applied);
    if (severity != Severity::equal && severity != Severity::excluded) {
        mismatches_.add(std::move(comparison));
    }
}

bool Ledger::note_trouble(const std::string& route, const std::string& why) {
    const std::lock_guard lock(mutex_);
    Entry& entry = routes_[route];
    return std::exchange(entry.trouble, why) != why;
}

std::int64_t Ledger::last_us() const {
    const std::lock_guard lock(mutex_);
    return last_us_;
}

std::vector<RouteRecord> Ledger::records() const {
    const std::lock_guard lock(mutex_);
    std::vector<RouteRecord> records;
    for (const auto& [route, entry] : routes_) {
        records.push_back(
            {.route = route,
             .sampled = entry.tally->sampled.load(),
             .repeated = entry.tally->repeated.load(),
             .shed = entry.tally->shed.load(),
             .failed = entry.tally->failed.load(),
             .trouble = entry.trouble,
             .statistics = entry.statistics}
        );
    }
    return records;
}

std::vector<std::shared_ptr<const Mismatch>> Ledger::mismatches() const {
    const std::lock_guard lock(mutex_);
    return mismatches_.all();
}

std::shared_ptr<const Mismatch> Ledger::mismatch(std::uint64_t id) const {
    const std::lock_guard lock(mutex_);
    return mismatches_.find(id);
}

}  // namespace veer::router::compare
