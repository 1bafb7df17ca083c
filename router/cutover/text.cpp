#include "router/cutover/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace veer::router::cutover {

namespace {

constexpr std::array<std::pair<char, char>, 4> escapes{
    {{'\\', '\\'}, {'\t', 't'}, {'\n', 'n'}, {'\r', 'r'}}};

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
        if (text.empty()) {
            parts.emplace_back();
        }
    }
    return parts;
}

bool same_letters(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char one, char other) {
        return lower(one) == lower(other);
    });
}

std::string number_to_text(double number) {
    std::array<char, 32> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return error == std::errc{} ? std::string(buffer.data(), end) : std::string("0");
}

std::string escaped(std::string_view text) {
    std::string line;
    for (const char c : text) {
        bool special = false;
        for (const auto& [raw, letter] : escapes) {
            if (c == raw) {
                line += '\\';
                line += letter;
                special = true;
            }
        }
        if (!special) {
            line += c;
        }
    }
    return line;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string raw_text;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            raw_text += text[i];
            continue;
        }
        ++i;
        const std::size_t before = raw_text.size();
        for (const auto& [raw, letter] : escapes) {
            if (i < text.size() && text[i] == letter) {
                raw_text += raw;
            }
        }
        if (raw_text.size() == before) {
            return std::nullopt;
        }
    }
    return raw_text;
}

}  // namespace veer::router::cutover
