#include "proxy/session/statement_text.hpp"

#include <algorithm>
#include <cctype>

namespace veer::proxy::session {

namespace {

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (is_space(text.back()) || text.back() == ';')) {
        text.remove_suffix(1);
    }
    return text;
}

/// Takes `word` and the white space after it off the front, in any case.
bool take_word(std::string_view& text, std::string_view word) {
    const bool same = text.size() > word.size() && is_space(text[word.size()]) &&
                      std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
                          return a == lower(b);
                      });
    if (same) {
        text = trim(text.substr(word.size()));
    }
    return same;
}

std::string folded(std::string_view name) {
    std::string text(name);
    std::transform(text.begin(), text.end(), text.begin(), lower);
    return text;
}

}  // namespace

bool is_plain_select(std::string_view sql) {
    std::string_view text = trim(sql);
    return take_word(text, "select") && text.find('(') == std::string_view::npos;
}

bool mentions_veer_setting(std::string_view sql) {
    constexpr std::string_view word = "veer.";
    const auto found =
        std::search(sql.begin(), sql.end(), word.begin(), word.end(), [](char a, char b) {
            return lower(a) == b;
        });
    return found != sql.end();
}

std::optional<std::string> shown_relation(std::string_view sql) {
    constexpr std::size_t longest = 64;
    std::string_view text = trim(sql);
    if (text.size() > longest || !take_word(text, "show")) {
        return std::nullopt;
    }
    const std::string name = folded(text);
    if (name == "veer.last" || name == "veer.routes") {
        return name.substr(5);
    }
    return std::nullopt;
}

std::optional<std::string> deallocated(std::string_view sql) {
    std::string_view text = trim(sql);
    if (!take_word(text, "deallocate")) {
        return std::nullopt;
    }
    take_word(text, "prepare");
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        const std::string_view inner = text.substr(1, text.size() - 2);
        return inner.find('"') == std::string_view::npos ? std::string(inner) : std::string();
    }
    const bool name = std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
    const std::string plain = folded(text);
    return name && plain != "all" ? plain : std::string();
}

}  // namespace veer::proxy::session
