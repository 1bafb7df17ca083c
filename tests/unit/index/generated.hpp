#pragma once

#include "index/route_index.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace veer::index::test {

using Vector = std::vector<float>;

/// Vectors around 20 random centres, the same for the same seed.
std::vector<Vector> clustered(std::size_t count, std::size_t dimensions, std::uint64_t seed);

/// Keys "0", "1", ... for load(); `keys` begins at `first`.
std::vector<RouteIndex::Entry> entries(const std::vector<Vector>& vectors, std::size_t first = 0);

/// The share of search_exact()'s rows that search() finds, over all queries.
double recall(
    const RouteIndex& index, const std::vector<Vector>& queries, std::size_t k, std::size_t ef
);

/// The keys in the order of the answer.
std::vector<std::string> keys(const Result<std::vector<Hit>>& hits);

}  // namespace veer::index::test
