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
    int4_array,
    int8_array,
    text_array,  ///< text[] only: Postgres has no operator for one of varchar and one of text
    jsonb,
};

/// By pg_type.oid: these types are built in, so their OIDs are fixed.
std::optional<ColumnType> column_type(std::uint32_t type_oid);

/// Of an array's elements; nothing for other types.
std::optional<ColumnType> element_type(ColumnType type);

/// The length of every value in the binary send format; 0 where lengths vary.
std::size_t send_bytes(ColumnType type);

}  // namespace veer::storage
