#pragma once

#include "index/route_index.hpp"
#include "router/compare/change_log.hpp"
#include "router/compare/difference.hpp"
#include "router/compare/tolerance.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace veer::router::compare {

/// Rows as an engine returned them, nearest first.
using Rows = std::vector<index::Hit>;

/// One search, answered three times.
struct Triangle {
    std::size_t k = 0;          ///< LIMIT + OFFSET
    std::optional<Rows> veer;   ///< nothing: the search failed
    Rows postgres;              ///< at most k
    std::optional<Rows> exact;  ///< the judge's: k and a reserve; nothing: nobody judged
    /// What Postgres says of rows that veer alone returned, in the same snapshot: their distance,
    /// or that they are not there. Rows not asked about are not in it.
    std::map<std::string, std::optional<double>> confirmed = {};
    /// Of these, rows that are there, and that WHERE does not let through.
    std::set<std::string> outside = {};
    /// Rows of veer's as Postgres has them: their copied columns, in the order of Hit::values. Rows
    /// not asked about are not in it.
    std::map<std::string, std::vector<std::optional<std::string>>> payload = {};
    Changed changed = {};
    /// Postgres was asked a second time, and its answer was not as near or not as far.
    bool moving = false;
    Tolerance tolerance;
};

/// The reserve that an exact answer needs, so that it is long enough without rows in motion.
constexpr std::size_t exact_rows(std::size_t k) {
    return k + 16 + k / 4;
}

/// What the comparison of one search comes to.
struct Judgement {
    Difference verdict = Difference::none;  ///< the worst
    /// Rows of each class; 1 where the class is one of whole answers.
    std::array<std::uint32_t, difference_count> rows = {};
    std::set<std::size_t> payload_columns = {};  ///< that differ, by place in Hit::values
    bool judged = false;  ///< by the exact answer; else by the best of both, an upper bound
    std::size_t k = 0;    ///< rows compared: those in motion are left out
    double recall = 1;    ///< of veer, see judge()
    double pg_recall = 1;
    double overlap = 1;              ///< rows in both answers, of k
    double rank_overlap = 1;         ///< rank-biased overlap, p = 0.9: would a user notice?
    double distance_ratio = 1;       ///< veer's distances : the exact ones
    bool tolerance_matters = false;  ///< another class at a tenth or ten times the tolerance

    std::uint32_t count(Difference difference) const {
        return rows.at(static_cast<std::size_t>(difference));
    }

    /// Left out of recall: it says nothing of either engine.
    bool excluded() const { return severity_of(verdict) == Severity::excluded; }
};

/// Compares the three in distance space, by one tolerance (CUTOVER.md 2.3):
///
///     recall@k = |{ returned rows that exist, d <= D_k + tolerance }| / min(k, rows there are)
///
/// D_k is the k-th distance of the exact answer, so that a tie at the border is never an error; of
/// the best of both answers together where nobody judged.
///
/// Rows that changed between the looks are taken out of all three answers, and as many others are
/// not compared as that leaves places. What differs then is a difference; what does not any more
/// was `in_flight`.
Judgement judge(const Triangle& triangle);

}  // namespace veer::router::compare
