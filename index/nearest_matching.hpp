#pragma once

#include "index/filter_strategy.hpp"
#include "index/matching_walk.hpp"
#include "index/nearest.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace veer::index {

/// One filtered search in one snapshot: who is nearest of those that pass, in no order.
///
///     matching rows:   few ──▶ compare codes with each of them, correct the nearest
///                      more ──▶ look around the query: as many match there as everywhere?
///                                 yes ──▶ walk over matching nodes
///                                 no  ──▶ a much wider walk, or compare, whatever costs less
///                               too few found ──▶ compare with each
///
/// How many records match is known, not guessed: see Matches. Only how many of these are of live
/// rows is estimated: by a sample of them, and by the share of live ones among all slots.
///
/// Where the query lies outside of what passes, its nearest rows are at the rim of many clusters
/// that no two links connect: a walk finds some of them, and does not know.
class NearestMatching {
  public:
    NearestMatching(
        const Space& space,
        const Segment& segment,
        const MatchingRows& rows,
        std::size_t live,
        const SearchLimits& limits
    )
        : space_{space}, segment_{segment}, rows_{rows}, live_{live}, limits_{limits} {}

    /// The `want` nearest matching rows, all of them where there are fewer. Requires a checked
    /// query.
    Result<std::vector<Slot>> find(std::span<const float> query, std::size_t want, std::size_t ef)
        const;

    /// The same by comparing the vectors of every matching row.
    Result<std::vector<Slot>> scan(std::span<const float> query, std::size_t want) const;

  private:
    double expected() const;
    FilteredSearch facts(std::size_t ef) const;
    std::size_t choose_ef(std::size_t ef, const Surroundings& around) const;
    Result<std::vector<Slot>> compare(const float* query, std::size_t want) const;
    std::vector<Slot> matching_slots() const;

    const Space& space_;
    const Segment& segment_;
    const MatchingRows& rows_;
    std::size_t live_;
    const SearchLimits& limits_;
};

}  // namespace veer::index
