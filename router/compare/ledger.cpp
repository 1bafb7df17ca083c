#include "router/compare/ledger.hpp"

#include <algorithm>
#include <utility>

namespace veer::router::compare {

namespace {

std::string shed_text(const Tally& tally) {
    std::string text;
    const auto add = [&text](const char* why, const std::atomic<std::uint64_t>& count) {
        if (const std::uint64_t times = count.load(); times > 0) {
            text += (text.empty() ? "" : ", ") + std::string(why) + ' ' + std::to_string(times);
        }
    };
    add("load", tally.shed_load);
    add("budget", tally.shed_budget);
    add("busy", tally.shed_busy);
    return text;
}

}  // namespace

std::shared_ptr<Tally> Ledger::tally(const std::string& route) {
    const std::lock_guard lock(mutex_);
    return routes_[route].tally;
}

std::uint64_t Ledger::searches() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto& [route, entry] : routes_) {
        sum += entry.tally->searches.load(std::memory_order_relaxed);
    }
    return sum;
}

void Ledger::set_keep(std::size_t keep) {
    const std::lock_guard lock(mutex_);
    mismatches_.set_keep(keep);
}

void Ledger::add(Mismatch comparison) {
    const Severity severity = severity_of(comparison.judgement.verdict);
    shapes_.add(comparison);
    const std::lock_guard lock(mutex_);
    last_us_ = std::max(last_us_, comparison.taken_us);
    Entry& entry = routes_[comparison.route];
    entry.trouble.clear();
    recent_.add(
        {.taken_us = comparison.taken_us,
         .route = comparison.route,
         .judgement = comparison.judgement,
         .durations = comparison.durations,
         .applied = comparison.applied,
         .cold = entry.statistics.cold_left > 0}
    );
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

void Ledger::set_targets(const Targets& targets) {
    const std::lock_guard lock(mutex_);
    targets_ = targets;
}

Targets Ledger::targets() const {
    const std::lock_guard lock(mutex_);
    return targets_;
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
             .shed_why = shed_text(*entry.tally),
             .failed = entry.tally->failed.load(),
             .trouble = entry.trouble,
             .statistics = entry.statistics}
        );
    }
    return records;
}

std::vector<RouteRecord> Ledger::records_since(std::int64_t from_us) const {
    const std::lock_guard lock(mutex_);
    std::vector<RouteRecord> records;
    for (auto& [route, statistics] : recent_.since(from_us)) {
        RouteRecord record{.route = route, .shed_why = {}, .trouble = {}, .statistics = statistics};
        record.since_us = std::max(from_us, recent_.complete_from_us().value_or(from_us));
        records.push_back(std::move(record));
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
