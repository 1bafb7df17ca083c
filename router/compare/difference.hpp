#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace veer::router::compare {

/// In what two answers to one search differ, worst first (CUTOVER.md 2.8). A stable code each:
/// users read and count them.
enum class Difference : std::uint8_t {
    // Hard: never acceptable, no statistics needed.
    invisible_row,     ///< veer returned a row that Postgres does not have
    filter_violation,  ///< veer returned a row for which WHERE is not true
    wrong_distance,    ///< the same row at another distance: another vector
    payload,           ///< the same row with other values in the columns that the search gives out
    missing_row,       ///< the copy lacks a row that belongs among the nearest
    duplicate_id,      ///< veer returned a row twice
    unsorted,          ///< veer returned a nearer row after a farther one
    error_veer_only,   ///< veer's search failed where Postgres answered
    // Soft: approximate search, counted.
    veer_short,   ///< fewer rows than asked for, and there were more
    veer_missed,  ///< a row of Postgres' is among the best of both
    both_missed,  ///< a row of the exact answer is in neither
    pg_short,     ///< pgvector returned fewer rows than asked for: veer gives more than before
    pg_missed,    ///< a row of veer's is among the best of both: an improvement
    // Not differences.
    tie_border,  ///< other rows, as far away as the last
    tie_order,   ///< the same rows, equally far ones in another order
    in_flight,   ///< explained by rows that changed meanwhile; excluded
    moving,      ///< Postgres' second answer differs from its first; excluded
    uncovered,   ///< what changed meanwhile is not known whole; excluded
    ignored,     ///< an operator has said so, for a time; excluded
    none,        ///< the same rows in the same order
};

inline constexpr std::size_t difference_count = 20;

enum class Severity : std::uint8_t {
    hard,
    loss,         ///< veer is worse
    improvement,  ///< veer is better
    excluded,
    equal,
};

constexpr std::array<std::string_view, difference_count> difference_names{
    "invisible_row", "filter_violation", "wrong_distance",  "payload",    "missing_row",
    "duplicate_id",  "unsorted",         "error_veer_only", "veer_short", "veer_missed",
    "both_missed",   "pg_short",         "pg_missed",       "tie_border", "tie_order",
    "in_flight",     "moving",           "uncovered",       "ignored",    "none"};

constexpr std::string_view to_string(Difference difference) {
    return difference_names.at(static_cast<std::size_t>(difference));
}

constexpr std::optional<Difference> difference_from_text(std::string_view text) {
    for (std::size_t i = 0; i < difference_count; ++i) {
        if (difference_names.at(i) == text) {
            return static_cast<Difference>(i);
        }
    }
    return std::nullopt;
}

constexpr Severity severity_of(Difference difference) {
    switch (difference) {
        case Difference::invisible_row:
        case Difference::filter_violation:
        case Difference::wrong_distance:
        case Difference::payload:
        case Difference::missing_row:
        case Difference::duplicate_id:
        case Difference::unsorted:
        case Difference::error_veer_only:
            return Severity::hard;
        case Difference::veer_short:
        case Difference::veer_missed:
        case Difference::both_missed:
            return Severity::loss;
        case Difference::pg_short:
        case Difference::pg_missed:
            return Severity::improvement;
        case Difference::in_flight:
        case Difference::moving:
        case Difference::uncovered:
        case Difference::ignored:
            return Severity::excluded;
        case Difference::tie_border:
        case Difference::tie_order:
        case Difference::none:
            return Severity::equal;
    }
    return Severity::equal;
}

constexpr std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::hard:
            return "hard";
        case Severity::loss:
        case Severity::improvement:
            return "soft";
        case Severity::excluded:
            return "excluded";
        case Severity::equal:
            return "equal";
    }
    return "equal";
}

}  // namespace veer::router::compare
