#include "proxy/session/statement_text.hpp"

#include "router/compare/recent.hpp"

#include <algorithm>

namespace veer::proxy::session {

namespace {

/// As Postgres folds keywords: ASCII only, whatever the locale.
constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
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

bool mentions(std::string_view text, std::string_view word) {
    const auto found =
        std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
            return lower(a) == b;
        });
    return found != text.end();
}

std::string folded(std::string_view name) {
    std::string text(name);
    std::transform(text.begin(), text.end(), text.begin(), lower);
    return text;
}

}  // namespace

bool is_plain_select(std::string_view sql) {
    std::string_view text = trim(sql);
    return take_word(text, "select") && text.find_first_of("(;") == std::string_view::npos &&
           !mentions(text, "from") && !mentions(text, "into");
}

bool mentions_veer_setting(std::string_view sql) {
    return mentions(sql, "veer.");
}

bool mentions_notice_setting(std::string_view sql) {
    return mentions(sql, "veer.notice");
}

bool concerns_portals(std::string_view sql) {
    return mentions(sql, "fetch") || mentions(sql, "move") || mentions(sql, "close") ||
           mentions(sql, "cursor") || mentions(sql, "savepoint");
}

bool mentions_deallocate(std::string_view sql) {
    return mentions(sql, "deallocate");
}

std::optional<std::string> shown_relation(std::string_view sql) {
    constexpr std::size_t longest = 64;
    std::string_view text = trim(sql);
    if (text.size() > longest || !take_word(text, "show")) {
        return std::nullopt;
    }
    std::string name = folded(text);
    std::string since;
    // SHOW veer.report SINCE '2026-05-04T14:22:07Z'
    if (const std::size_t space = name.find(' '); space != std::string::npos) {
        constexpr std::string_view word = "since '";
        std::string_view rest = trim(std::string_view(name).substr(space));
        const bool report = name.starts_with("veer.report");
        if (!report || !rest.starts_with(word) || !rest.ends_with('\'') ||
            !router::compare::parse_time(rest.substr(word.size(), rest.size() - word.size() - 1))) {
            return std::nullopt;
        }
        rest.remove_prefix(word.size());
        rest.remove_suffix(1);
        since = " since " + std::string(rest);
        name.resize(space);
    }
    constexpr std::string_view relations[] = {
        "veer.last",
        "veer.reasons",
        "veer.routes",
        "veer.compare",
        "veer.mismatches",
        "veer.report",
        "veer.report_json",
        "veer.report_html"};
    const bool known =
        std::find(std::begin(relations), std::end(relations), name) != std::end(relations);
    return known ? std::optional(name.substr(5) + since) : std::nullopt;
}

}  // namespace veer::proxy::session
