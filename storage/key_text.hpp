#pragma once

#include "storage/table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::storage {

/// True of types that a key's columns may have: equal values have equal bytes in the binary send
/// format, and other values others. smallint, integer, bigint, date, timestamp with and without
/// time zone, uuid, text, varchar.
bool is_key_type(std::uint32_t type_oid);

/// A key column's value, from its binary form, as a text that Postgres reads back as the same
/// under every setting; nothing where the bytes are none of the column's type.
std::optional<std::string> key_text(const Column& column, std::string_view bytes);

}  // namespace veer::storage
