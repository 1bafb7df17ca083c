#pragma once

#include "index/route_index.hpp"
#include "index/segment.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace veer::index {

/// One search in one snapshot of a segment: who is nearest, and how far as pgvector says it.
class Nearest {
  public:
    /// Of the slots below `slots` that are visible to a reader of `published`.
    Nearest(
        const Space& space,
        const Segment& segment,
        std::size_t slots,
        Sequence published,
        const SearchLimits& limits
    )
        : space_{space}, segment_{segment}, slots_{slots}, published_{published}, limits_{limits} {}

    /// The `want` nearest. Requires a checked query, and that so many rows are visible.
    Result<std::vector<Hit>> walk(std::span<const float> query, std::size_t want, std::size_t ef)
        const;

    /// The same by comparing with every row.
    Result<std::vector<Hit>> scan(std::span<const float> query, std::size_t want) const;

  private:
    Result<void> find(const float* query, std::size_t want, std::size_t ef) const;
    void correct(const float* query, std::size_t want, std::vector<Found>& found) const;
    Result<std::vector<Hit>> scan_code(const float* query, std::size_t want) const;
    std::vector<Hit> hits_of(const float* query, std::span<const Slot> slots) const;

    const Space& space_;
    const Segment& segment_;
    std::size_t slots_;
    Sequence published_;
    const SearchLimits& limits_;
};

}  // namespace veer::index
