#pragma once

#include "storage/vector.hpp"

#include <optional>
#include <string_view>

namespace veer::router {

/// sparsevec's text form, as sparsevec_in reads it: index:value pairs in any order, counted from 1,
/// and the dimensions; zeros are dropped, whatever their index.
///
///     { 3:2, 1:1.5, 2:0 } / 5   ──▶   5 dimensions, indices 0 2, values 1.5 2
///
/// Nothing where that is an error, or veer is not sure.
std::optional<storage::SparseVector> parse_sparse_text(std::string_view text);

}  // namespace veer::router
