#include "storage/key_text.hpp"

#include "storage/column_type.hpp"
#include "storage/time_text.hpp"

namespace veer::storage {

namespace {

std::int64_t signed_big_endian(std::string_view bytes) {
    std::uint64_t bits = static_cast<std::int8_t>(bytes.front()) < 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) {
        bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
    }
    return static_cast<std::int64_t>(bits);
}

std::string uuid_text(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text += '-';
        }
        const auto byte = static_cast<std::uint8_t>(bytes[i]);
        text += digits[byte >> 4U];
        text += digits[byte & 0x0FU];
    }
    return text;
}

}  // namespace

bool is_key_type(std::uint32_t type_oid) {
    switch (column_type(type_oid).value_or(ColumnType::jsonb)) {
        case ColumnType::int2:
        case ColumnType::int4:
        case ColumnType::int8:
        case ColumnType::date:
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
        case ColumnType::uuid:
        case ColumnType::text:
            return true;
        default:
            return false;
    }
}

std::optional<std::string> key_text(const Column& column, std::string_view bytes) {
    const std::optional<ColumnType> type = column_type(column.type_oid);
    if (!type.has_value() || !is_key_type(column.type_oid) ||
        (*type != ColumnType::text && bytes.size() != send_bytes(*type))) {
        return std::nullopt;
    }
    switch (*type) {
        case ColumnType::text:
            return std::string{bytes};
        case ColumnType::uuid:
            return uuid_text(bytes);
        case ColumnType::date:
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
            return time_text(*type, signed_big_endian(bytes));
        default:
            return std::to_string(signed_big_endian(bytes));
    }
}

}  // namespace veer::storage
