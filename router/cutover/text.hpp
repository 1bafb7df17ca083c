#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router::cutover {

/// The parts between separators; of an empty text, none.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> number_from_text(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end ? std::optional(number) : std::nullopt;
}

/// Whether two texts are the same but for the case of ASCII letters.
bool same_letters(std::string_view a, std::string_view b);

/// The shortest text that reads back to the same number.
std::string number_to_text(double number);

/// Backslash, tab, line feed and carriage return as \\, \t, \n and \r: a field of a line.
std::string escaped(std::string_view text);
std::optional<std::string> unescaped(std::string_view text);

}  // namespace veer::router::cutover
