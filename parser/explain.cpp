#include "parser/explain.hpp"

#include "parser/lexer.hpp"

namespace veer::parser {
namespace {

/// Past the parentheses that have just been opened; `end` where they are not closed.
Token skip_options(Lexer& lexer, std::string_view sql) {
    std::size_t depth = 1;
    Token token = lexer.next();
    for (; depth > 0 && token.kind != Token::Kind::end; token = lexer.next()) {
        if (token.kind == Token::Kind::punctuation) {
            depth += sql[token.begin] == '(' ? 1 : 0;
            depth -= sql[token.begin] == ')' ? 1 : 0;
        }
    }
    return token;
}

}  // namespace

std::optional<std::size_t> explained_position(std::string_view sql) {
    Lexer lexer(sql);
    const auto text_of = [&](const Token& token) {
        return sql.substr(token.begin, token.end - token.begin);
    };
    Token token = lexer.next();
    if (token.kind != Token::Kind::word || !is_word(text_of(token), "explain")) {
        return std::nullopt;
    }
    token = lexer.next();
    if (text_of(token) == "(") {
        token = skip_options(lexer, sql);
    } else {
        for (const std::string_view option : {"analyze", "analyse", "verbose"}) {
            if (token.kind == Token::Kind::word && is_word(text_of(token), option)) {
                token = lexer.next();
            }
        }
    }
    return token.kind == Token::Kind::end ? std::nullopt : std::optional(token.begin);
}

}  // namespace veer::parser
