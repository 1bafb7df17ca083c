#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace veer::router {

/// Decoders of query vectors. Each returns nothing where Postgres would raise an error, or where
/// veer is not sure: the statement then goes to Postgres, which knows.

/// pgvector's text form, "[1, 2.5,-3e-4]" (QUERIES.md B.1). NaN and infinity are errors there.
std::optional<std::vector<float>> parse_vector_text(std::string_view text);

/// vector_send's form: int16 dimensions, int16 zero, big-endian float4 each.
std::optional<std::vector<float>> parse_vector_binary(std::string_view bytes);

/// The text form of a one-dimensional real[] or double precision[], "{1,2.5}", without NULLs.
std::optional<std::vector<float>> parse_array_text(std::string_view text);

/// What stands between the brackets of ARRAY[1, 2.5].
std::optional<std::vector<float>> parse_array_items(std::string_view text);

/// array_send's form of a one-dimensional float4[] or float8[] without NULLs.
std::optional<std::vector<float>> parse_array_binary(std::string_view bytes);

}  // namespace veer::router
