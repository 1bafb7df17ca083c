#pragma once

#include "storage/vector.hpp"

#include <string_view>

namespace veer::router {

/// Where a search stands on the percentage axis: in [0, 1), answered by the index iff below
/// percent/100.
///
///     bucket = (xxh3_64(salt | 0x1f | key) >> 11) * 2^-53
///
/// Frozen for ever (format v1, golden values in the test): changing it would move everybody's
/// searches at once. Monotone by construction: raising the percentage only adds keys
/// (CUTOVER.md 1.4).
double bucket(std::string_view salt, std::string_view key);

/// The default key: the statement's shape and the query vector's bits (float32 of vector and
/// halfvec, words of bit, indices and then values of sparsevec), so that a repeated search and its
/// next page stay on one engine.
double bucket(std::string_view salt, std::string_view shape, const storage::Vector& vector);

}  // namespace veer::router
