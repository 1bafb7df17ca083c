#pragma once

#include "storage/vector.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace veer::index {

/// A vector as an index takes it: elements of four bytes, whatever its type.
///
///     vector, halfvec   the floats
///     bit               words of 32 bits, an even number of them, as they lie in memory
///     sparsevec         count | count x index | count x value
///
/// What is no float travels in a float's place: it is copied, hashed and compared by its bytes, and
/// only Space reads it. Refers to `vector`, or to `memory`, which it may fill.
std::span<const float> elements_of(const storage::Vector& vector, std::vector<float>& memory);

/// How many elements a vector of the type has: for sparsevec, whose vectors differ in that, a
/// number to estimate memory with.
std::uint32_t element_count(storage::VectorKind kind, std::uint32_t dimensions);

}  // namespace veer::index
