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

/// Of a name; but for $, which may be a quote.
bool is_word_character(char c) {
    const char folded = lower(c);
    return (folded >= 'a' && folded <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// Whether the folded `word` stands in the text, in any case, and is not a part of a longer word.
/// Quotes and comments are words like others.
bool has_word(std::string_view text, std::string_view word) {
    const auto same = [](char a, char b) {
        return lower(a) == b;
    };
    auto from = text.begin();
    while (!word.empty()) {
        const auto found = std::search(from, text.end(), word.begin(), word.end(), same);
        if (found == text.end()) {
            break;
        }
        const auto end = found + static_cast<std::ptrdiff_t>(word.size());
        const bool begins =
            found == text.begin() || !is_word_character(*(found - 1)) || !is_word_character(*found);
        const bool ends =
            end == text.end() || !is_word_character(*end) || !is_word_character(*(end - 1));
        if (begins && ends) {
            return true;
        }
        from = found + 1;
    }
    return false;
}

/// Where names can be written in other characters than their own, each text is about each.
bool mentions_portal(std::string_view sql, std::string_view portal) {
    return portal.find_first_of("\"'\\") != std::string_view::npos || mentions(sql, "u&") ||
           has_word(sql, folded(portal));
}

bool concerns_all_portals(std::string_view sql) {
    const bool all = has_word(sql, "all");
    return (all && (has_word(sql, "close") || has_word(sql, "reset"))) ||
           (has_word(sql, "set") && has_word(sql, "names")) || mentions(sql, "pg_cursor") ||
           has_word(sql, "chain") || has_word(sql, "client_encoding") ||
           has_word(sql, "extra_float_digits") || has_word(sql, "set_config");
}

/// After white space, comments and brackets; nothing where comments are nested.
std::string_view first_word(std::string_view text) {
    while (!text.empty()) {
        std::size_t skipped = 1;
        if (text.starts_with("--")) {
            skipped = text.find('\n');
        } else if (text.starts_with("/*")) {
            skipped = text.find("*/", 2);
            if (text.find("/*", 2) < skipped) {
                return {};
            }
            skipped += skipped == std::string_view::npos ? 0 : 2;
        } else if (!is_space(text.front()) && text.front() != '(') {
            break;
        }
        text.remove_prefix(std::min(skipped, text.size()));
    }
    const auto end = std::find_if_not(text.begin(), text.end(), is_word_character);
    return text.substr(0, static_cast<std::size_t>(end - text.begin()));
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

bool concerns_portal(std::string_view sql, std::string_view portal) {
    return concerns_all_portals(sql) || mentions_portal(sql, portal);
}

bool may_use_portals(std::string_view sql) {
    if (concerns_all_portals(sql) || (has_word(sql, "current") && has_word(sql, "of"))) {
        return true;
    }
    constexpr std::string_view of_queries[] = {
        "select", "with", "insert", "update", "delete", "merge", "values", "table"};
    const std::string_view first = first_word(sql);
    const bool query =
        std::any_of(std::begin(of_queries), std::end(of_queries), [&](std::string_view word) {
            return folded(first) == word;
        });
    // FETCH FIRST n ROWS ONLY, or a column of that name.
    return !query && (has_word(sql, "fetch") || has_word(sql, "move") || has_word(sql, "close") ||
                      has_word(sql, "cursor"));
}

bool mentions_savepoint(std::string_view sql) {
    return has_word(sql, "savepoint");
}

std::optional<std::string> deallocated_name(std::string_view sql) {
    constexpr std::size_t name_bytes_max = 63;
    std::string_view text = trim(sql);
    if (!take_word(text, "deallocate")) {
        return std::nullopt;
    }
    take_word(text, "prepare");
    const bool quoted = text.size() > 2 && text.front() == '"' && text.back() == '"';
    const std::string_view name = quoted ? text.substr(1, text.size() - 2) : text;
    if (name.empty() || name.size() > name_bytes_max) {
        return std::nullopt;
    }
    const auto digit = [](char c) {
        return c >= '0' && c <= '9';
    };
    const bool readable = std::all_of(name.begin(), name.end(), [&](char c) {
        const bool ascii = static_cast<unsigned char>(c) < 0x80;
        return quoted ? c != '"' : ascii && (is_word_character(c) || c == '$');
    });
    if (!readable || (!quoted && (digit(name.front()) || name.front() == '$'))) {
        return std::nullopt;
    }
    const std::string folded_name = folded(name);
    if (!quoted && folded_name == "all") {
        return std::nullopt;
    }
    return quoted ? std::string(name) : folded_name;
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
