#include "proxy/admin/json.hpp"

#include <cmath>

namespace veer::proxy::admin {

namespace {

std::string json_value(const Value& value) {
    if (is_null(value)) {
        return "null";
    }
    if (const auto* truth = std::get_if<bool>(&value)) {
        return *truth ? "true" : "false";
    }
    const auto* const number = std::get_if<double>(&value);
    const bool plain = std::holds_alternative<std::int64_t>(value) ||
                       (number != nullptr && std::isfinite(*number));
    return plain ? to_text(value) : json_string(to_text(value));
}

}  // namespace

std::string json_string(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (byte < 0x20) {
            quoted += "\\u00";
            quoted += digits[byte >> 4U];
            quoted += digits[byte & 0xfU];
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string json_rows(const std::vector<Column>& columns, const std::vector<Row>& rows) {
    std::string list;
    for (const Row& row : rows) {
        std::string fields;
        for (std::size_t i = 0; i < row.size(); ++i) {
            fields += (i == 0 ? "" : ",") + json_string(columns[i].name) + ':' + json_value(row[i]);
        }
        list += (list.empty() ? "{" : ",{") + fields + '}';
    }
    return '[' + list + ']';
}

}  // namespace veer::proxy::admin
