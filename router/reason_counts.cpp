#include "router/reason_counts.hpp"

#include <algorithm>
#include <mutex>

namespace veer::router {

void ReasonCounts::count(std::string_view route, std::string_view engine, Reason reason) {
    {
        const std::shared_lock lock(mutex_);
        if (const auto found = counts_.find(Views(route, engine, reason)); found != counts_.end()) {
            found->second.calls.fetch_add(1, std::memory_order_relaxed);
            return;
        }
    }
    const std::unique_lock lock(mutex_);
    if (counts_.size() < entries_max) {
        counts_.try_emplace(Key(route, engine, reason))
            .first->second.calls.fetch_add(1, std::memory_order_relaxed);
    }
}

void ReasonCounts::note_times(std::int64_t now_ms) {
    const std::shared_lock lock(mutex_);
    for (auto& [key, count] : counts_) {
        const std::uint64_t calls = count.calls.load(std::memory_order_relaxed);
        if (count.seen.exchange(calls, std::memory_order_relaxed) != calls) {
            count.last_ms.store(now_ms, std::memory_order_relaxed);
        }
    }
}

std::vector<ReasonCounts::Entry> ReasonCounts::entries() const {
    std::vector<Entry> all;
    {
        const std::shared_lock lock(mutex_);
        all.reserve(counts_.size());
        for (const auto& [key, count] : counts_) {
            const auto& [route, engine, reason] = key;
            all.push_back(
                {.route = route,
                 .engine = engine,
                 .reason = reason,
                 .calls = count.calls.load(std::memory_order_relaxed),
                 .last_ms = count.last_ms.load(std::memory_order_relaxed)}
            );
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Entry& left, const Entry& right) {
        return left.calls > right.calls;
    });
    return all;
}

std::uint64_t ReasonCounts::calls(std::string_view route, std::string_view engine, Reason reason)
    const {
    const std::shared_lock lock(mutex_);
    const auto found = counts_.find(Views(route, engine, reason));
    return found == counts_.end() ? 0 : found->second.calls.load(std::memory_order_relaxed);
}

const std::vector<std::string>& ReasonCounts::columns() {
    static const std::vector<std::string> names = {"route", "engine", "reason", "searches"};
    return names;
}

std::vector<std::vector<std::string>> ReasonCounts::rows() const {
    std::vector<std::vector<std::string>> rows;
    for (Entry& entry : entries()) {
        rows.push_back(
            {std::move(entry.route),
             std::move(entry.engine),
             std::move(entry.reason),
             std::to_string(entry.calls)}
        );
    }
    return rows;
}

}  // namespace veer::router
