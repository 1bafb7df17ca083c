#pragma once

#include "index/segment.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace veer::index {

/// A distance that has an order: pgvector sorts NaN last.
double sortable(double distance);

/// The query's code, aligned as the stored ones are, in memory that each thread keeps until it
/// encodes another.
const float* encoded(const Space& space, std::span<const float> query);

/// Leaves in `found` what a walk at this precision has found, cut down to the `want` nearest.
/// Requires that there are so many.
void settle(
    const Space& space,
    const HnswGraph& graph,
    const float* query,
    std::size_t want,
    Precision precision,
    std::vector<Found>& found
);

/// The `want` nearest of `slots`, or all, by comparing the query with each; in no order.
Result<std::vector<Slot>> nearest_of(
    const Space& space,
    const HnswGraph& graph,
    const float* query,
    std::span<const Slot> slots,
    std::size_t want,
    Effort& effort
);

std::vector<Slot> slots_of(const std::vector<Found>& found);

/// One search in one snapshot of a segment: who is nearest, in no order.
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
    Result<std::vector<Slot>> walk(std::span<const float> query, std::size_t want, std::size_t ef)
        const;

    /// The same by comparing with every row.
    Result<std::vector<Slot>> scan(std::span<const float> query, std::size_t want) const;

  private:
    Result<void> find(const float* query, std::size_t want, std::size_t ef) const;

    const Space& space_;
    const Segment& segment_;
    std::size_t slots_;
    Sequence published_;
    const SearchLimits& limits_;
};

}  // namespace veer::index
