#pragma once

#include "tests/bench/searched_set.hpp"

#include <cstddef>

namespace veer::bench {

/// Prints recall and processor time of searches of which only a share of the rows is to be found.
void race_filtered(const SearchedSet& set, unsigned threads, std::size_t rounds);

}  // namespace veer::bench
