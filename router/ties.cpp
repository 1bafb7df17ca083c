#include "router/ties.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router {

std::size_t rows_without_open_tie(std::span<const index::Hit> hits, std::uint64_t asked) {
    constexpr double tolerance = 1e-6;
    if (hits.empty() || hits.size() < asked) {
        return hits.size();
    }
    const double last = hits.back().distance;
    const double open = last - tolerance * std::max(1.0, std::abs(last));
    std::size_t rows = hits.size();
    while (rows > 0 && !(hits[rows - 1].distance < open)) {
        --rows;
    }
    return rows;
}

}  // namespace veer::router
