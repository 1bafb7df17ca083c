#pragma once

#include "storage/vector.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace veer::router {

/// Decoders of query vectors, into what a column of type `kind` compares with. Each returns nothing
/// where Postgres would raise an error, or where veer is not sure: the statement then goes to
/// Postgres, which knows.
///
/// Halves are rounded from the float32 that the text means, as halfvec_in does.

/// The type's text form (QUERIES.md B.1): "[1, 2.5,-3e-4]", "{1:1.5,3:2}/5", "0101". NaN and
/// infinity are errors there.
std::optional<storage::Vector> parse_vector_text(storage::VectorKind kind, std::string_view text);

/// The type's binary send form.
std::optional<storage::Vector> parse_vector_binary(
    storage::VectorKind kind, std::string_view bytes
);

/// The text form of a one-dimensional real[] or double precision[], "{1,2.5}", without NULLs, as a
/// cast makes it a vector.
std::optional<storage::Vector> parse_array_text(storage::VectorKind kind, std::string_view text);

/// What stands between the brackets of ARRAY[1, 2.5], if all arrays that it may be make it the same
/// vector: as it is, or cast to real[] or double precision[].
std::optional<storage::Vector> parse_array_items(storage::VectorKind kind, std::string_view text);

/// The elements that Postgres expects of an array's binary form; array_recv refuses others.
enum class ArrayElement : std::uint8_t { either, float4, float8 };

/// array_send's form of a one-dimensional float4[] or float8[] without NULLs.
std::optional<storage::Vector> parse_array_binary(
    storage::VectorKind kind, std::string_view bytes, ArrayElement element = ArrayElement::either
);

}  // namespace veer::router
