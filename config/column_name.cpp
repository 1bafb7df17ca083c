#include "config/column_name.hpp"

#include <algorithm>

namespace veer::config {
namespace {

bool starts_identifier(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool continues_identifier(char c) {
    return starts_identifier(c) || (c >= '0' && c <= '9') || c == '$';
}

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::optional<std::string> take_quoted(std::string_view& text) {
    std::string name;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] != '"') {
            name += text[at];
        } else if (at + 1 < text.size() && text[at + 1] == '"') {
            name += '"';
            ++at;
        } else {
            text.remove_prefix(at + 1);
            return name.empty() ? std::nullopt : std::optional(std::move(name));
        }
    }
    return std::nullopt;
}

std::optional<std::string> take_identifier(std::string_view& text) {
    if (text.starts_with('"')) {
        return take_quoted(text);
    }
    if (text.empty() || !starts_identifier(text.front())) {
        return std::nullopt;
    }
    const auto* end = std::find_if_not(text.begin(), text.end(), continues_identifier);
    std::string name(text.begin(), end);
    std::transform(name.begin(), name.end(), name.begin(), to_lower);
    text.remove_prefix(name.size());
    return name;
}

bool take_dot(std::string_view& text) {
    if (!text.starts_with('.')) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

std::string quote_where_needed(const std::string& name) {
    const bool plain = !name.empty() && starts_identifier(name.front()) &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                           return continues_identifier(c) && to_lower(c) == c;
                       });
    if (plain) {
        return name;
    }
    std::string quoted = "\"";
    for (const char c : name) {
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    }
    return quoted + '"';
}

}  // namespace

std::optional<ColumnName> parse_column_name(std::string_view text) {
    std::optional<std::string> schema = take_identifier(text);
    if (!schema || !take_dot(text)) {
        return std::nullopt;
    }
    std::optional<std::string> table = take_identifier(text);
    if (!table || !take_dot(text)) {
        return std::nullopt;
    }
    std::optional<std::string> column = take_identifier(text);
    if (!column || !text.empty()) {
        return std::nullopt;
    }
    return ColumnName{std::move(*schema), std::move(*table), std::move(*column)};
}

std::string to_string(const ColumnName& name) {
    return quote_where_needed(name.schema) + '.' + quote_where_needed(name.table) + '.' +
           quote_where_needed(name.column);
}

}  // namespace veer::config
