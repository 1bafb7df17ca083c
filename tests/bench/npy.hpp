#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace veer::bench {

using Vectors = std::vector<std::vector<float>>;

/// The first rows of a two-dimensional float32 array in NumPy's format, version 1. Throws
/// std::runtime_error when the file cannot be understood.
Vectors read_npy(const std::string& path, std::size_t rows_max);

}  // namespace veer::bench
