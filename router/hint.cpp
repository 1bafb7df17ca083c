#include "router/hint.hpp"

#include "parser/lexer.hpp"
#include "router/cutover/text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace veer::router {

namespace {

using cutover::Voice;

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

void say(Hint& hint, Voice voice) {
    if (hint.route != Voice::postgres && voice != Voice::silent) {
        hint.route = voice;
    }
}

/// Nothing where pgvector would not take it.
std::optional<std::uint32_t> ef_of(std::string_view text) {
    constexpr std::uint32_t ef_max = 1000;
    std::uint32_t ef = 0;
    const char* const end = text.data() + text.size();
    const bool read = std::from_chars(text.data(), end, ef).ptr == end && ef >= 1 && ef <= ef_max;
    return read ? std::optional(ef) : std::nullopt;
}

bool begins_with(std::string_view text, std::string_view word) {
    return cutover::same_letters(text.substr(0, word.size()), word);
}

bool is_separator(char c) {
    return c == ',' || c == ';';
}

bool is_end_of_word(std::string_view text) {
    return text.empty() || is_space(text.front()) || is_separator(text.front());
}

/// A word of ours, or nothing any more.
bool begins_word(std::string_view text) {
    const auto is_next = [&](std::string_view word) {
        return begins_with(text, word) &&
               is_end_of_word(text.substr(std::min(word.size(), text.size())));
    };
    return is_end_of_word(text) || begins_with(text, "route=") || begins_with(text, "key=") ||
           begins_with(text, "ef=") || is_next("postgres") || is_next("postgresql") ||
           is_next("veer");
}

/// Up to a space, or to a comma or semicolon behind which another word begins: a key may have
/// commas.
std::string_view first_word(std::string_view words) {
    std::size_t end = 0;
    while (end < words.size() && !is_space(words[end]) &&
           !(is_separator(words[end]) && begins_word(words.substr(end + 1)))) {
        ++end;
    }
    return words.substr(0, end);
}

std::string_view unquoted(std::string_view text) {
    const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                        (text.front() == '\'' || text.front() == '"');
    return quoted ? text.substr(1, text.size() - 2) : text;
}

void read_word(Hint& hint, std::string_view word) {
    if (begins_with(word, "route=")) {
        say(hint, cutover::voice_from_text(unquoted(word.substr(6))));
    } else if (begins_with(word, "key=")) {
        hint.key = word.substr(4);
    } else if (begins_with(word, "ef=")) {
        hint.ef = ef_of(word.substr(3));
    } else {
        say(hint, cutover::voice_from_text(word));
    }
}

void read_words(Hint& hint, std::string_view words) {
    while (!words.empty()) {
        if (is_space(words.front()) || is_separator(words.front())) {
            words.remove_prefix(1);
            continue;
        }
        const std::string_view word = first_word(words);
        words.remove_prefix(word.size());
        read_word(hint, word);
    }
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const char* const digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
            decoded += static_cast<char>(value);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

/// name='value',name='value': nothing is a tag where not all of it is.
void read_tags(Hint& hint, std::string_view comment) {
    std::vector<cutover::Tag> tags;
    for (const std::string_view part : cutover::split(comment, ',')) {
        const std::string_view pair = trimmed(part);
        const std::size_t equals = pair.find("='");
        if (equals == std::string_view::npos || equals == 0 || pair.size() < equals + 3 ||
            pair.back() != '\'') {
            return;
        }
        const std::string_view value = pair.substr(equals + 2, pair.size() - equals - 3);
        tags.emplace_back(percent_decoded(pair.substr(0, equals)), percent_decoded(value));
    }
    for (cutover::Tag& tag : tags) {
        if (hint.tags.size() < Hint::tags_max) {
            hint.tags.push_back(std::move(tag));
        }
    }
}

void read_comment(Hint& hint, std::string_view comment) {
    constexpr std::string_view prefix = "veer:";
    const std::string_view text = trimmed(comment);
    if (begins_with(text, prefix)) {
        read_words(hint, text.substr(prefix.size()));
    } else if (cutover::same_letters(text, "no load balance")) {
        say(hint, Voice::postgres);
    } else {
        read_tags(hint, text);
    }
}

/// Where the block comment that begins at `begin` ends; npos where it does not. They nest.
std::size_t comment_end(std::string_view text, std::size_t begin) {
    std::size_t depth = 0;
    for (std::size_t i = begin; i + 1 < text.size(); ++i) {
        const std::string_view two = text.substr(i, 2);
        if (two == "/*") {
            ++depth;
            ++i;
        } else if (two == "*/") {
            ++i;
            if (--depth == 0) {
                return i + 1;
            }
        }
    }
    return std::string_view::npos;
}

/// Reads and blanks the comments of one gap between two tokens.
void read_gap(Uncommented& read, std::size_t begin, std::size_t end, std::size_t& comments) {
    std::size_t at = begin;
    while (at < end) {
        const std::string_view rest = std::string_view(read.text).substr(at, end - at);
        std::size_t after = at + 1;
        if (rest.starts_with("--")) {
            after = std::min(read.text.find_first_of("\r\n", at), end);
        } else if (rest.starts_with("/*")) {
            after = comment_end(read.text, at);
            if (after > end) {
                return;
            }
            if (comments == Hint::comments_max) {
                say(read.hint, Voice::postgres);
                return;
            }
            ++comments;
            read_comment(read.hint, std::string_view(read.text).substr(at + 2, after - at - 4));
            std::fill(
                read.text.begin() + static_cast<std::ptrdiff_t>(at),
                read.text.begin() + static_cast<std::ptrdiff_t>(after),
                ' '
            );
        } else if (!is_space(rest.front())) {
            return;  // a token that is cut short
        }
        at = after;
    }
}

}  // namespace

Uncommented uncomment(std::string text) {
    Uncommented read{.text = std::move(text), .hint = {}};
    if (read.text.find("/*") == std::string::npos) {
        return read;
    }
    const std::string original = read.text;
    parser::Lexer lexer(original);
    std::size_t comments = 0;
    std::size_t at = 0;
    for (parser::Token token = lexer.next();; token = lexer.next()) {
        const bool last = token.kind == parser::Token::Kind::end;
        read_gap(read, at, last ? original.size() : token.begin, comments);
        if (last) {
            return read;
        }
        at = token.end;
    }
}

}  // namespace veer::router
