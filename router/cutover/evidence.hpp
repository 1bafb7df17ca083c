#pragma once

#include "router/cutover/histogram.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::router::cutover {

/// A moment on the one axis that cutover knows: milliseconds since 1970 as they were at the start
/// of the process, counted on by a clock that never jumps. An input, always.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

/// A difference that no statistics excuse (CUTOVER.md 2.8).
enum class HardDifference : std::uint8_t {
    filter_violation,
    invisible_row,   ///< a row that Postgres does not have, or that the role could not read
    wrong_distance,  ///< the same row at another distance
    missing_row,     ///< the copy lacks a row that belongs among the nearest
    payload,
    metadata,
    duplicate_id,
    unsorted,
    error_veer_only,
};

std::string_view to_string(HardDifference difference);

/// One search that both engines answered: all that gates and guards hear of it.
struct Comparison {
    std::uint64_t shape = 0;  ///< shape_id() of the plan's shape
    /// Of veer, by an exact judge; absent where the judge was not asked.
    std::optional<double> recall = std::nullopt;
    /// Never below veer's recall: |veer's ∩ best k of (veer's ∪ pgvector's)| / k. Needs no judge.
    std::optional<double> recall_at_most = std::nullopt;
    /// Of pgvector, by the same judge on the same search.
    std::optional<double> postgres_recall = std::nullopt;
    std::optional<double> veer_ms = std::nullopt;
    std::optional<double> postgres_ms = std::nullopt;
    std::optional<HardDifference> hard = std::nullopt;
    /// Rows changed between the two answers: proves nothing either way, and is counted as such.
    bool excluded = false;
    bool cold = false;  ///< soon after a build: its latencies do not count
};

/// What is measured now and then rather than for each search; absent is unknown, never zero.
struct Gauges {
    std::optional<Duration> lag = std::nullopt;
    std::optional<std::uint64_t> wal_retained_bytes = std::nullopt;
    std::optional<double> postgres_pressure =
        std::nullopt;  ///< connections in use / max_connections, 0 to 1
    std::optional<double> memory_used = std::nullopt;  ///< of what veer may use, 0 to 1
    /// Of searches kept with exact answers: the most that it may be, allowing for how few they are.
    std::optional<double> golden_recall = std::nullopt;
};

/// Stable across processes and versions.
std::uint64_t shape_id(std::string_view shape);

/// All that has been seen of a route since its evidence was last declared stale. A value: it is
/// stored with each decision that rests on it, and whoever has it can recompute the verdict.
///
/// Invariants:
/// 1. Histograms of what speaks for going forward are rounded down, so no verdict is too good.
/// 2. `compared` counts every comparison, `excluded` those of them that prove nothing.
struct Evidence {
    Histogram recall;     ///< of veer, judged
    Histogram advantage;  ///< (veer's recall - pgvector's + 1) / 2, judged
    Histogram in_time;    ///< 1: no slower than pgvector's own p95; 0: slower
    std::uint64_t compared = 0;
    std::uint64_t excluded = 0;
    std::uint64_t hard = 0;
    std::optional<Time> first;
    std::optional<Time> last;

    friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// One line without tabs or quotes; from_text() of it gives the same evidence.
std::string to_text(const Evidence& evidence);
std::optional<Evidence> evidence_from_text(std::string_view text);

}  // namespace veer::router::cutover
