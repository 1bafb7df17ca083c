#include "storage/column_type.hpp"

namespace veer::storage {

std::optional<ColumnType> column_type(std::uint32_t type_oid) {
    switch (type_oid) {
        case 16:
            return ColumnType::boolean;
        case 21:
            return ColumnType::int2;
        case 23:
            return ColumnType::int4;
        case 20:
            return ColumnType::int8;
        case 700:
            return ColumnType::float4;
        case 701:
            return ColumnType::float8;
        case 1082:
            return ColumnType::date;
        case 1114:
            return ColumnType::timestamp;
        case 1184:
            return ColumnType::timestamptz;
        case 2950:
            return ColumnType::uuid;
        case 25:
        case 1043:
            return ColumnType::text;
        case 1007:
            return ColumnType::int4_array;
        case 1016:
            return ColumnType::int8_array;
        case 1009:
            return ColumnType::text_array;
        case 3802:
            return ColumnType::jsonb;
        default:
            return std::nullopt;
    }
}

std::optional<ColumnType> element_type(ColumnType type) {
    switch (type) {
        case ColumnType::int4_array:
            return ColumnType::int4;
        case ColumnType::int8_array:
            return ColumnType::int8;
        case ColumnType::text_array:
            return ColumnType::text;
        default:
            return std::nullopt;
    }
}

std::size_t send_bytes(ColumnType type) {
    switch (type) {
        case ColumnType::boolean:
            return 1;
        case ColumnType::int2:
            return 2;
        case ColumnType::int4:
        case ColumnType::float4:
        case ColumnType::date:
            return 4;
        case ColumnType::int8:
        case ColumnType::float8:
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
            return 8;
        case ColumnType::uuid:
            return 16;
        case ColumnType::text:
        case ColumnType::int4_array:
        case ColumnType::int8_array:
        case ColumnType::text_array:
        case ColumnType::jsonb:
            return 0;
    }
    return 0;
}

}  // namespace veer::storage
