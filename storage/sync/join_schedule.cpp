#include "storage/sync/join_schedule.hpp"

#include <algorithm>

namespace veer::storage::sync {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds cheap_min{500};
constexpr milliseconds cheap_max{10'000};
constexpr milliseconds waited_for_max{4'000};
constexpr milliseconds costly_min{10'000};
constexpr milliseconds costly_max{3'600'000};
constexpr std::chrono::hours forgotten_after{1};

}  // namespace

void JoinSchedule::failed(TableOid table, Failure failure, Clock::time_point now) {
    Entry& entry = entries_[table];
    if (entry.joined.has_value() && now - *entry.joined > forgotten_after) {
        entry.costly = milliseconds{0};
    }
    entry.joined.reset();
    if (failure == Failure::advanced) {
        entry.cheap = milliseconds{0};
    }
    if (failure != Failure::costly) {
        entry.cheap = std::clamp(entry.cheap * 2, cheap_min, cheap_max);
        entry.due = now + entry.cheap;
        return;
    }
    entry.due = now + entry.costly;
    entry.costly = std::clamp(entry.costly * 2, costly_min, costly_max);
}

void JoinSchedule::joined(TableOid table, Clock::time_point now) {
    Entry& entry = entries_[table];
    entry.cheap = milliseconds{0};
    entry.joined = now;
}

std::optional<Table> JoinSchedule::next(
    const std::vector<Table>& wanted, Clock::time_point now, std::optional<TableOid> begun
) const {
    const bool one = comes_first(wanted, begun);
    const Table* best = nullptr;
    for (const Table& table : wanted) {
        if ((!one || table.oid == begun) && due(table.oid) <= now &&
            (best == nullptr || table.estimated_rows < best->estimated_rows)) {
            best = &table;
        }
    }
    return best == nullptr ? std::nullopt : std::optional{*best};
}

JoinSchedule::Clock::time_point JoinSchedule::due(
    const std::vector<Table>& wanted, Clock::time_point now, std::optional<TableOid> begun
) const {
    if (comes_first(wanted, begun)) {
        return due(*begun);
    }
    Clock::time_point earliest = now + std::chrono::hours{1};
    for (const Table& table : wanted) {
        earliest = std::min(earliest, due(table.oid));
    }
    return earliest;
}

bool JoinSchedule::comes_first(const std::vector<Table>& wanted, std::optional<TableOid> begun)
    const {
    const bool there = std::any_of(wanted.begin(), wanted.end(), [&](const Table& table) {
        return table.oid == begun;
    });
    const auto found = begun.has_value() ? entries_.find(*begun) : entries_.end();
    return there && (found == entries_.end() || found->second.cheap <= waited_for_max);
}

JoinSchedule::Clock::time_point JoinSchedule::due(TableOid table) const {
    const auto found = entries_.find(table);
    return found == entries_.end() ? Clock::time_point{} : found->second.due;
}

}  // namespace veer::storage::sync
