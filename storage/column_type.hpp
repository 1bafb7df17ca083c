#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace veer::storage {

/// The types of which a column's values can be copied beside key and vector. Domains are types of
/// their own, and none of these.
enum class ColumnType : std::uint8_t {
    boolean,
    int2,
    int4,
    int8,
    float4,
    float8,
    date,
    timestamp,
    timestamptz,
    uuid,
    text,  ///< text and varchar; in UTF-8
};

/// By pg_type.oid: these types are built in, so their OIDs are fixed.
std::optional<ColumnType> column_type(std::uint32_t type_oid);

/// The length of every value in the binary send format; 0 where lengths vary.
std::size_t send_bytes(ColumnType type);

}  // namespace veer::storage
