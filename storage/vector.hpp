#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::storage {

/// The column types that pgvector has indexes for.
enum class VectorKind : std::uint8_t { vector, halfvec, bit, sparsevec };

/// By pg_type.typname; nothing for any other type.
std::optional<VectorKind> vector_kind_of(std::string_view type_name);

std::string_view to_string(VectorKind kind);

/// bit(n) as packed words:
///
///     B'1011 0000 01'  ──▶  length 10, bytes B0 40 as they are sent, zeros to the end of the word
///
/// The order of bits within a word is of no interest: distances count them.
struct BitVector {
    std::uint32_t length = 0;
    std::vector<std::uint64_t> words;

    friend bool operator==(const BitVector&, const BitVector&) = default;
};

std::size_t bit_words(std::uint32_t length);

/// sparsevec: the elements that are not zero, by ascending index from 0.
struct SparseVector {
    std::uint32_t dimensions = 0;
    std::vector<std::uint32_t> indices;
    std::vector<float> values;

    friend bool operator==(const SparseVector&, const SparseVector&) = default;
};

/// A vector's value. The floats are those of vector, or of halfvec, whose values they hold exactly.
using Vector = std::variant<std::vector<float>, BitVector, SparseVector>;

std::uint32_t dimensions_of(const Vector& vector);

/// Memory beside the object itself.
std::size_t bytes_of(const Vector& vector);

/// Decodes a type's binary send format, all fields big-endian (pgvector's *_send; varbit.c):
///
///     vector     int16 dimensions | int16 zero | float4 x dimensions
///     halfvec    int16 dimensions | int16 zero | IEEE half x dimensions
///     bit        int32 length | bytes, first bit highest, zeros behind the last
///     sparsevec  int32 dimensions | int32 count | int32 zero | int32 index x count | float4 x
///     count
///
/// Returns nothing where the bytes are anything else, or hold what the type does not allow: no
/// dimension, more than it may have, indices out of order, a zero in a sparsevec. NaN and infinity
/// are the caller's to look for.
std::optional<Vector> decode_vector(VectorKind kind, std::string_view bytes);

}  // namespace veer::storage
