#pragma once

#include "proxy/admin/lexer.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace veer::proxy::admin {

/// A place in a statement's words. The last word is Kind::end and is never passed.
class Cursor {
  public:
    explicit Cursor(const std::vector<Token>& tokens) : tokens_(tokens) {}

    const Token& peek(std::size_t ahead = 0) const {
        return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
    }

    Token next() {
        Token token = peek();
        at_ += at_ + 1 < tokens_.size() ? 1 : 0;
        return token;
    }

    bool at_end() const { return peek().kind == Token::Kind::end; }

    /// Passes a keyword or a symbol, if it is the next one.
    bool skip(std::string_view word) {
        const bool here = peek().is(word);
        if (here) {
            next();
        }
        return here;
    }

    /// Passes several, all or none.
    bool skip_all(std::initializer_list<std::string_view> words) {
        std::size_t ahead = 0;
        for (const std::string_view word : words) {
            if (!peek(ahead++).is(word)) {
                return false;
            }
        }
        at_ += words.size();
        return true;
    }

    /// Postgres' words for it.
    Failure unexpected() const {
        const Token& token = peek();
        return {
            .sqlstate = "42601",
            .message = at_end() ? "syntax error at end of input"
                                : "syntax error at or near \"" + token.text + "\"",
            .hint = "SHOW HELP lists what the console understands.",
            .position = token.at + 1};
    }

  private:
    const std::vector<Token>& tokens_;
    std::size_t at_ = 0;
};

}  // namespace veer::proxy::admin
