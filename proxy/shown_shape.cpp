#include "proxy/shown_shape.hpp"

#include "parser/lexer.hpp"

#include <array>
#include <cstdint>

namespace veer::proxy {

namespace {

using parser::Token;

bool is_constant(Token::Kind kind) {
    return kind == Token::Kind::string || kind == Token::Kind::other_string ||
           kind == Token::Kind::number;
}

/// How many bytes the character at the beginning has; 0 where it is not one of UTF-8.
std::size_t character_bytes(std::string_view text) {
    const auto first = static_cast<std::uint8_t>(text.front());
    const std::size_t bytes = first < 0x80   ? 1
                              : first < 0xC0 ? 0
                              : first < 0xE0 ? 2
                              : first < 0xF0 ? 3
                              : first < 0xF8 ? 4
                                             : 0;
    if (bytes < 2 || text.size() < bytes) {
        return bytes == 1 ? 1 : 0;
    }
    std::uint32_t code = first & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        if ((byte & 0xC0U) != 0x80) {
            return 0;
        }
        code = (code << 6U) | (byte & 0x3FU);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < least.at(bytes) || surrogate || code > 0x10FFFF ? 0 : bytes;
}

/// Adds as much of the text as there is room for; says whether that was all.
bool add(std::string& shown, std::string_view text, std::size_t bytes_max) {
    while (!text.empty()) {
        const std::size_t bytes = character_bytes(text);
        const std::string_view character = bytes == 0 ? "?" : text.substr(0, bytes);
        if (shown.size() + character.size() > bytes_max) {
            return false;
        }
        shown += character;
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    return true;
}

}  // namespace

std::string shown_shape(std::string_view shape, std::size_t bytes_max) {
    std::string shown;
    parser::Lexer lexer(shape);
    std::size_t at = 0;
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        const std::string_view space = token.begin > at && !shown.empty() ? " " : "";
        const std::string_view text =
            is_constant(token.kind) ? "?" : shape.substr(token.begin, token.end - token.begin);
        if (!add(shown, space, bytes_max) || !add(shown, text, bytes_max)) {
            break;
        }
        at = token.end;
    }
    return shown;
}

}  // namespace veer::proxy
