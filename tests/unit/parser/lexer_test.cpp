#include "parser/lexer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace veer::parser;

namespace {

char letter(Token::Kind kind) {
    switch (kind) {
        case Token::Kind::end:
            return '.';
        case Token::Kind::word:
            return 'w';
        case Token::Kind::quoted_identifier:
            return 'q';
        case Token::Kind::string:
            return 's';
        case Token::Kind::other_string:
            return 'S';
        case Token::Kind::number:
            return 'n';
        case Token::Kind::parameter:
            return '$';
        case Token::Kind::operators:
            return 'o';
        case Token::Kind::punctuation:
            return 'p';
    }
    return '?';
}

/// "w:select s:'a'" and so on.
std::vector<std::string> tokens(std::string_view text) {
    std::vector<std::string> list;
    Lexer lexer(text);
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        list.push_back(
            std::string(1, letter(token.kind)) + ':' +
            std::string(text.substr(token.begin, token.end - token.begin))
        );
    }
    return list;
}

using Tokens = std::vector<std::string>;

}  // namespace

TEST_CASE("Lexer splits a search into its tokens", "[parser]") {
    CHECK(
        tokens("select \"E\"<->$1, 'it''s' from t;") ==
        Tokens{"w:select", "q:\"E\"", "o:<->", "$:$1", "p:,", "s:'it''s'", "w:from", "w:t", "p:;"}
    );
}

TEST_CASE("Lexer skips comments, nested ones too", "[parser]") {
    CHECK(tokens("a /* x /* 'y */ ' */ b -- 'c\n d") == Tokens{"w:a", "w:b", "w:d"});
    CHECK(tokens("a /* open").size() == 1);
    CHECK(tokens("a -- open").size() == 1);
    CHECK(tokens("/*/ a */ b") == Tokens{"w:b"});
}

TEST_CASE("Lexer ends an operator where a comment begins", "[parser]") {
    CHECK(tokens("a<->--x\n'v'") == Tokens{"w:a", "o:<->", "s:'v'"});
    CHECK(tokens("a<->/*x*/'v'") == Tokens{"w:a", "o:<->", "s:'v'"});
}

TEST_CASE("Lexer joins a string with its continuation on a further line", "[parser]") {
    CHECK(tokens("'a' \n 'b'") == Tokens{"s:'a' \n 'b'"});
    CHECK(tokens("'a' -- it's\n 'b'") == Tokens{"s:'a' -- it's\n 'b'"});
    CHECK(tokens("E'a\\'' \n 'b\\'' c") == Tokens{"S:E'a\\'' \n 'b\\''", "w:c"});
    CHECK(tokens("'a' 'b'") == Tokens{"s:'a'", "s:'b'"});
}

TEST_CASE("Lexer tells prefixed strings from names before a string", "[parser]") {
    CHECK(tokens("E'\\'' x") == Tokens{"S:E'\\''", "w:x"});
    CHECK(
        tokens("U&'a' u&\"b\" N'c' b'0' X'f'") ==
        Tokens{"S:U&'a'", "q:u&\"b\"", "S:N'c'", "S:b'0'", "S:X'f'"}
    );
    CHECK(tokens("name'\\' x") == Tokens{"w:name", "s:'\\'", "w:x"});
    CHECK(tokens("_e'a' table_x'a'") == Tokens{"w:_e", "s:'a'", "w:table_x", "s:'a'"});
}

TEST_CASE("Lexer reads dollar quotes by their tag, parameters by their digits", "[parser]") {
    CHECK(
        tokens("$$a'b$$ $q$ $$ $q$ $1 a$b$c") ==
        Tokens{"S:$$a'b$$", "S:$q$ $$ $q$", "$:$1", "w:a$b$c"}
    );
    CHECK(tokens("$q$ open $$").empty());
}

TEST_CASE("Lexer reads numbers in every form", "[parser]") {
    CHECK(
        tokens("1 2.5 .5 1e10 1.5E-3 3.") ==
        Tokens{"n:1", "n:2.5", "n:.5", "n:1e10", "n:1.5E-3", "n:3."}
    );
}

TEST_CASE("Lexer keeps multi-byte characters inside names and strings", "[parser]") {
    CHECK(tokens("größe <-> 'ü'") == Tokens{"w:größe", "o:<->", "s:'ü'"});
}

TEST_CASE("Lexer ends at a constant that is cut short", "[parser]") {
    for (const auto* text : {"a 'b", "a \"b", "a E'b\\'", "a $$b", "a 'b''", "a U&'b", "a E'\\"}) {
        CAPTURE(text);
        CHECK(tokens(text) == Tokens{"w:a"});
    }
}
