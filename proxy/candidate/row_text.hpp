#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace veer::proxy::candidate {

/// "[1,2.5]", from which pgvector reads the same floats.
std::string vector_text(std::span<const float> vector);

/// The function that writes the binary form of a key's or a copied column's type, as the stream
/// sends it.
std::string_view send_function(std::uint32_t type_oid);

std::string from_hex(const std::string& hex);

}  // namespace veer::proxy::candidate
