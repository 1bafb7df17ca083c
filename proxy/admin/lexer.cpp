#include "proxy/admin/lexer.hpp"

#include <algorithm>
#include <stdexcept>

namespace veer::proxy::admin {

void throw_exception_from_error(const Failure& failure, const boost::source_location& /*where*/) {
    throw std::runtime_error(failure.message);
}

namespace {

using Kind = Token::Kind;

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_operator_letter(char c) {
    return std::string_view("+-*/<>=~!@#%^&|`?").find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string folded(text);
    for (char& c : folded) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return folded;
}

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Result<std::vector<Token>> read() {
        std::vector<Token> tokens;
        for (;;) {
            if (!skip_blank()) {
                return fail("unterminated /* comment", at_);
            }
            Token token{.kind = Kind::end, .text = {}, .at = at_};
            if (at_ == text_.size()) {
                tokens.push_back(std::move(token));
                return tokens;
            }
            if (const char* problem = read_one(token)) {
                return fail(problem, token.at);
            }
            token.end = at_;
            tokens.push_back(std::move(token));
        }
    }

  private:
    static Failure fail(const char* what, std::size_t at) {
        return {.sqlstate = "42601", .message = what, .position = at + 1};
    }

    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    /// False where a comment does not end.
    bool skip_blank() {
        for (;;) {
            if (at_ < text_.size() && is_space(text_[at_])) {
                ++at_;
            } else if (peek() == '-' && peek(1) == '-') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (peek() == '/' && peek(1) == '*') {
                const std::size_t end = text_.find("*/", at_ + 2);
                if (end == std::string_view::npos) {
                    return false;
                }
                at_ = end + 2;
            } else {
                return true;
            }
        }
    }

    /// Null where that worked, else what is wrong.
    const char* read_one(Token& token) {
        const char c = text_[at_];
        if (c == '\'') {
            token.kind = Kind::string;
            return read_quoted(token.text, '\'', false) ? nullptr : "unterminated quoted string";
        }
        if ((c == 'E' || c == 'e') && peek(1) == '\'') {
            ++at_;
            token.kind = Kind::string;
            return read_quoted(token.text, '\'', true) ? nullptr : "unterminated quoted string";
        }
        if (c == '"') {
            token.kind = Kind::quoted;
            return read_quoted(token.text, '"', false) ? nullptr : "unterminated quoted identifier";
        }
        if (c == '$' && !is_digit(peek(1))) {
            token.kind = Kind::string;
            return read_dollar_quoted(token.text) ? nullptr : "unterminated dollar-quoted string";
        }
        if (c == '$') {
            token.kind = Kind::parameter;
            ++at_;
            take(token.text, is_digit);
        } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
            token.kind = Kind::number;
            take(token.text, [](char each) {
                return is_digit(each) || each == '.' || each == 'e' || each == 'E';
            });
        } else if (begins_name(c)) {
            token.kind = Kind::word;
            take(token.text, [](char each) {
                return begins_name(each) || is_digit(each) || each == '$';
            });
            token.text = lower(token.text);
        } else {
            token.kind = Kind::symbol;
            read_symbol(token.text);
        }
        return nullptr;
    }

    template <class Belongs>
    void take(std::string& text, Belongs belongs) {
        while (at_ < text_.size() && belongs(text_[at_])) {
            text.push_back(text_[at_++]);
        }
    }

    bool read_quoted(std::string& text, char quote, bool escapes) {
        for (++at_; at_ < text_.size(); ++at_) {
            if (escapes && text_[at_] == '\\' && at_ + 1 < text_.size()) {
                text.push_back(text_[++at_]);
            } else if (text_[at_] != quote) {
                text.push_back(text_[at_]);
            } else if (peek(1) == quote) {
                text.push_back(text_[at_++]);
            } else {
                ++at_;
                return true;
            }
        }
        return false;
    }

    bool read_dollar_quoted(std::string& text) {
        const std::size_t end_of_tag = text_.find('$', at_ + 1);
        if (end_of_tag == std::string_view::npos) {
            return false;
        }
        const std::string_view tag = text_.substr(at_, end_of_tag + 1 - at_);
        const std::size_t end = text_.find(tag, end_of_tag + 1);
        if (end == std::string_view::npos) {
            return false;
        }
        text = text_.substr(end_of_tag + 1, end - end_of_tag - 1);
        at_ = end + tag.size();
        return true;
    }

    void read_symbol(std::string& text) {
        if (peek() == ':' && peek(1) == ':') {
            text = "::";
            at_ += 2;
        } else if (!is_operator_letter(peek())) {
            text = text_[at_++];
        } else {
            while (is_operator_letter(peek()) && !(peek() == '-' && peek(1) == '-') &&
                   !(peek() == '/' && peek(1) == '*')) {
                text.push_back(text_[at_++]);
                if (text == "*" || (text == "=" && peek() == '-')) {
                    return;  // as in count(*), and in = -1
                }
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<Token>> read_tokens(std::string_view text) {
    return Lexer(text).read();
}

Result<std::vector<std::string_view>> split_statements(std::string_view text) {
    const auto tokens = read_tokens(text);
    if (tokens.has_error()) {
        return tokens.error();
    }
    std::vector<std::string_view> statements;
    bool empty = true;
    std::size_t begin = 0;
    for (const Token& token : *tokens) {
        const bool ends = token.kind == Kind::end || token.is(";");
        if (ends && !empty) {
            statements.push_back(text.substr(begin, token.at - begin));
        }
        empty = ends;
        begin = ends ? token.at + 1 : begin;
    }
    return statements;
}

}  // namespace veer::proxy::admin
