#pragma once

#include "index/route_index.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace veer::router {

/// ORDER BY distance, id: which of the rows at one distance belong to the answer depends on all of
/// them.
///
///     asked for 7, found   .1  .2  .2  .3  .4  .4  .4     behind the last may be more of its kind:
///                         └──────── 4 ────────┘           these four are all that are nearer
///
/// How many of the hits, nearest first, are certainly followed by all others of their distance: all
/// of them where there were fewer than asked for. Distances that differ by less than two machines'
/// arithmetic may (QUERIES.md B.4) count as equal.
std::size_t rows_without_open_tie(std::span<const index::Hit> hits, std::uint64_t asked);

}  // namespace veer::router
