#include "proxy/auth/scram.hpp"

#include <algorithm>

namespace veer::proxy::auth {

std::optional<std::string_view> take_attribute(std::string_view& message, char name) {
    if (message.size() < 2 || message[0] != name || message[1] != '=') {
        return std::nullopt;
    }
    const std::size_t comma = message.find(',');
    const std::string_view value =
        message.substr(2, comma == std::string_view::npos ? comma : comma - 2);
    message.remove_prefix(comma == std::string_view::npos ? message.size() : comma + 1);
    return value;
}

std::optional<std::string> make_scram_nonce() {
    const std::optional<std::string> bytes = random_bytes(18);
    return bytes ? std::optional(base64(*bytes)) : std::nullopt;
}

bool is_scram_nonce(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < '\x7f' && c != ',';
    });
}

}  // namespace veer::proxy::auth
