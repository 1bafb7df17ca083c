#include "parser/lexer.hpp"

#include <algorithm>

namespace veer::parser {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool is_newline(char c) {
    return c == '\n' || c == '\r';
}

bool starts_identifier(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_operator(char c) {
    return c != '\0' && std::string_view("+-*/<>=~!@#%^&|`?").find(c) != std::string_view::npos;
}

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool continues_identifier(char c) {
    return starts_identifier(c) || is_digit(c) || c == '$';
}

bool is_word(std::string_view text, std::string_view lower_case_word) {
    if (text.size() != lower_case_word.size()) {
        return false;
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (to_lower(text[at]) != lower_case_word[at]) {
            return false;
        }
    }
    return true;
}

char Lexer::peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
}

Token Lexer::next() {
    if (!skip_space() || at_ == text_.size()) {
        at_ = text_.size();
        return {Token::Kind::end, at_, at_};
    }
    const std::size_t begin = at_;
    const Token::Kind kind = skip_token();
    if (kind == Token::Kind::end) {
        at_ = text_.size();
        return {Token::Kind::end, at_, at_};
    }
    return {kind, begin, at_};
}

Token::Kind Lexer::skip_token() {
    const char c = text_[at_];
    if (c == '\'') {
        return skip_string_as(Token::Kind::string, false);
    }
    if (c == '"') {
        return skip_quoted_identifier() ? Token::Kind::quoted_identifier : Token::Kind::end;
    }
    if (starts_identifier(c)) {
        return skip_word();
    }
    if (c == '$') {
        return skip_dollar();
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
        skip_number();
        return Token::Kind::number;
    }
    if (is_operator(c)) {
        skip_operators();
        return Token::Kind::operators;
    }
    ++at_;
    return Token::Kind::punctuation;
}

/// False where a comment is cut short.
bool Lexer::skip_space() {
    while (at_ < text_.size()) {
        if (is_space(text_[at_])) {
            ++at_;
        } else if (text_[at_] == '-' && peek(1) == '-') {
            skip_line_comment();
        } else if (text_[at_] == '/' && peek(1) == '*') {
            if (!skip_block_comment()) {
                return false;
            }
        } else {
            return true;
        }
    }
    return true;
}

void Lexer::skip_line_comment() {
    while (at_ < text_.size() && !is_newline(text_[at_])) {
        ++at_;
    }
}

bool Lexer::skip_block_comment() {
    std::size_t depth = 0;
    while (at_ + 1 < text_.size()) {
        if (text_[at_] == '/' && text_[at_ + 1] == '*') {
            ++depth;
            at_ += 2;
        } else if (text_[at_] == '*' && text_[at_ + 1] == '/') {
            at_ += 2;
            if (--depth == 0) {
                return true;
            }
        } else {
            ++at_;
        }
    }
    return false;
}

Token::Kind Lexer::skip_string_as(Token::Kind kind, bool backslashes) {
    return skip_string(backslashes) ? kind : Token::Kind::end;
}

/// Stands on the opening quote; false where the closing one is missing.
bool Lexer::skip_string(bool backslashes) {
    ++at_;
    while (at_ < text_.size()) {
        if (!backslashes) {  // a vector is thousands of characters, and none of them a quote
            at_ = std::min(text_.find('\'', at_), text_.size());
        }
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        ++at_;
        if (c == '\\' && backslashes) {
            ++at_;
        } else if (c == '\'') {
            if (peek() == '\'' && at_ < text_.size()) {
                ++at_;
            } else if (!continues()) {
                return true;
            }
        }
    }
    at_ = text_.size();
    return false;
}

/// After a closing quote: steps past the opening quote of a continuation, if there is one. A string
/// continues after white space with at least one newline, -- comments included (4.1.2.1).
bool Lexer::continues() {
    const std::size_t back = at_;
    bool newline = false;
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (is_space(c)) {
            newline = newline || is_newline(c);
            ++at_;
        } else if (c == '-' && peek(1) == '-') {
            skip_line_comment();
        } else if (c == '\'' && newline) {
            ++at_;
            return true;
        } else {
            break;
        }
    }
    at_ = back;
    return false;
}

bool Lexer::skip_quoted_identifier() {
    ++at_;
    while (at_ < text_.size()) {
        if (text_[at_++] != '"') {
            continue;
        }
        if (at_ == text_.size() || text_[at_] != '"') {
            return true;
        }
        ++at_;
    }
    return false;
}

Token::Kind Lexer::skip_word() {
    const char first = to_lower(text_[at_]);
    if (peek(1) == '\'' && (first == 'e' || first == 'b' || first == 'x' || first == 'n')) {
        ++at_;
        return skip_string_as(Token::Kind::other_string, first == 'e');
    }
    if (first == 'u' && peek(1) == '&' && peek(2) == '\'') {
        at_ += 2;
        return skip_string_as(Token::Kind::other_string, false);
    }
    if (first == 'u' && peek(1) == '&' && peek(2) == '"') {
        at_ += 2;
        return skip_quoted_identifier() ? Token::Kind::quoted_identifier : Token::Kind::end;
    }
    while (at_ < text_.size() && continues_identifier(text_[at_])) {
        ++at_;
    }
    return Token::Kind::word;
}

Token::Kind Lexer::skip_dollar() {
    std::size_t end = at_ + 1;
    if (is_digit(peek(1))) {
        while (end < text_.size() && is_digit(text_[end])) {
            ++end;
        }
        at_ = end;
        return Token::Kind::parameter;
    }
    while (end < text_.size() && text_[end] != '$' && continues_identifier(text_[end])) {
        ++end;
    }
    if (end == text_.size() || text_[end] != '$') {
        ++at_;
        return Token::Kind::punctuation;
    }
    return skip_dollar_quoted(end + 1) ? Token::Kind::other_string : Token::Kind::end;
}

bool Lexer::skip_dollar_quoted(std::size_t tag_end) {
    const std::string_view tag = text_.substr(at_, tag_end - at_);
    const std::size_t close = text_.find(tag, tag_end);
    if (close == std::string_view::npos) {
        return false;
    }
    at_ = close + tag.size();
    return true;
}

void Lexer::skip_number() {
    const auto skip_digits = [this] {
        while (is_digit(peek())) {
            ++at_;
        }
    };
    skip_digits();
    if (peek() == '.' && peek(1) != '.') {
        ++at_;
        skip_digits();
    }
    const bool exponent = to_lower(peek()) == 'e';
    const std::size_t sign = exponent && (peek(1) == '+' || peek(1) == '-') ? 1 : 0;
    if (exponent && is_digit(peek(1 + sign))) {
        at_ += 1 + sign;
        skip_digits();
    }
}

void Lexer::skip_operators() {
    while (at_ < text_.size() && is_operator(text_[at_])) {
        const char following = peek(1);
        if ((text_[at_] == '-' && following == '-') || (text_[at_] == '/' && following == '*')) {
            return;
        }
        ++at_;
    }
}

}  // namespace veer::parser
