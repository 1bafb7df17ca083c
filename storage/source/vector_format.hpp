#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace veer::storage::source {

/// Decodes what pgvector's vector_send wrote:
///
///     be16 dimensions | be16 zero | dimensions * be32 float
///
/// Returns nothing where the bytes are anything else, or have not `dimensions`
/// (pg_attribute.atttypmod).
std::optional<std::vector<float>> decode_vector(std::string_view bytes, std::int32_t dimensions);

}  // namespace veer::storage::source
