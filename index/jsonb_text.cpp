#include "index/jsonb_text.hpp"

#include <algorithm>

namespace veer::index {

namespace {

/// Up to the quote that ends the string which begins at `at`; npos where there is none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (at = text.find_first_of("\"\\", at); at != std::string_view::npos && text[at] == '\\';
         at = text.find_first_of("\"\\", at + 2)) {
        if (at + 2 > text.size()) {
            return std::string_view::npos;
        }
    }
    return at;
}

/// Past the array or object that begins at `at`; npos where it has no end.
std::size_t end_of_container(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    for (; at < text.size(); ++at) {
        switch (text[at]) {
            case '"':
                at = end_of_string(text, at + 1);
                if (at == std::string_view::npos) {
                    return at;
                }
                break;
            case '{':
            case '[':
                ++depth;
                break;
            case '}':
            case ']':
                if (--depth == 0) {
                    return at + 1;
                }
                break;
            default:
                break;
        }
    }
    return std::string_view::npos;
}

/// The value that begins at `at`, and in `at` what follows it; nothing where it has no end.
std::optional<JsonbMember> read_value(std::string_view text, std::size_t& at) {
    using Kind = JsonbMember::Kind;
    const std::size_t begin = at;
    if (begin >= text.size()) {
        return std::nullopt;
    }
    if (text[begin] == '"') {
        const std::size_t end = end_of_string(text, begin + 1);
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        at = end + 1;
        return JsonbMember{Kind::string, text.substr(begin + 1, end - begin - 1)};
    }
    if (text[begin] == '{' || text[begin] == '[') {
        at = end_of_container(text, begin);
        if (at == std::string_view::npos) {
            return std::nullopt;
        }
        return JsonbMember{Kind::container, text.substr(begin, at - begin)};
    }
    at = std::min(text.find_first_of(",}", begin), text.size());
    const std::string_view word = text.substr(begin, at - begin);
    if (word == "null") {
        return JsonbMember{Kind::null, word};
    }
    const bool boolean = word == "true" || word == "false";
    return JsonbMember{boolean ? Kind::boolean : Kind::number, word};
}

}  // namespace

std::optional<JsonbMember> jsonb_member(std::string_view sent, std::string_view escaped_key) {
    constexpr std::string_view after_key = "\": ";
    if (sent.size() < 3 || sent[1] != '{') {
        return std::nullopt;
    }
    const std::string_view text = sent.substr(1);
    // {"key": value, "key": value}
    for (std::size_t at = 1; at < text.size() && text[at] == '"';) {
        const std::size_t end = end_of_string(text, at + 1);
        if (end == std::string_view::npos || text.substr(end, after_key.size()) != after_key) {
            return std::nullopt;
        }
        const std::string_view key = text.substr(at + 1, end - at - 1);
        at = end + after_key.size();
        const std::optional<JsonbMember> value = read_value(text, at);
        if (!value || key == escaped_key) {
            return value;
        }
        at += 2;  // ", "
    }
    return std::nullopt;
}

std::string escaped_jsonb(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '\b':
                escaped += "\\b";
                break;
            case '\f':
                escaped += "\\f";
                break;
            case '\n':
                escaped += "\\n";
                break;
            case '\r':
                escaped += "\\r";
                break;
            case '\t':
                escaped += "\\t";
                break;
            case '"':
                escaped += "\\\"";
                break;
            case '\\':
                escaped += "\\\\";
                break;
            default:
                if (static_cast<unsigned char>(c) < ' ') {
                    escaped += "\\u00";
                    escaped += digits[static_cast<unsigned char>(c) >> 4U];
                    escaped += digits[static_cast<unsigned char>(c) & 15U];
                } else {
                    escaped += c;
                }
        }
    }
    return escaped;
}

std::string_view without_trailing_zeros(std::string_view number) {
    if (number.find('.') == std::string_view::npos) {
        return number;
    }
    number.remove_suffix(number.size() - 1 - number.find_last_not_of('0'));
    number.remove_suffix(number.ends_with('.') ? 1 : 0);
    return number;
}

}  // namespace veer::index
