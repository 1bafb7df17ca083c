#include "proxy/candidate/row_text.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace veer::proxy::candidate {

std::string vector_text(std::span<const float> vector) {
    std::string text = "[";
    std::array<char, 32> buffer{};
    for (const float value : vector) {
        const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
        text += text.size() == 1 ? "" : ",";
        text.append(buffer.data(), end);
    }
    return text + ']';
}

std::string_view send_function(std::uint32_t type_oid) {
    constexpr std::pair<std::uint32_t, std::string_view> functions[] = {
        {20, "int8send"},
        {21, "int2send"},
        {23, "int4send"},
        {16, "boolsend"},
        {700, "float4send"},
        {701, "float8send"},
        {1043, "varcharsend"},
        {1082, "date_send"},
        {1114, "timestamp_send"},
        {1184, "timestamptz_send"},
        {2950, "uuid_send"}};
    for (const auto& [oid, name] : functions) {
        if (oid == type_oid) {
            return name;
        }
    }
    return "textsend";
}

std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        unsigned value = 0;
        std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
        bytes += static_cast<char>(value);
    }
    return bytes;
}

}  // namespace veer::proxy::candidate
