#pragma once

#include <cstdint>
#include <string_view>

namespace veer::parser {

/// One token of a SQL text; text.substr(begin, end - begin) is how it was written.
struct Token {
    enum class Kind : std::uint8_t {
        end,                ///< no more tokens, or cut short inside a constant or a comment
        word,               ///< a keyword or an unquoted identifier
        quoted_identifier,  ///< "..." or U&"..."
        string,             ///< '...' with its continuations on further lines
        other_string,       ///< E'' B'' X'' N'' U&'' $tag$...$tag$
        number,
        parameter,    ///< $1
        operators,    ///< a run of operator characters
        punctuation,  ///< one of ( ) [ ] , ; : . and anything unknown
    };

    Kind kind = Kind::end;
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// Splits a text by PostgreSQL's lexical rules (manual 4.1, scan.l) with
/// standard_conforming_strings on, only as finely as cutting literals and finding clauses needs.
///
///     SELECT e <=> 'it''s' /* c */ FROM "T"   ->   word word operators string word
///     quoted_identifier
///
/// 1. Any bytes are accepted; the tokens are in order, disjoint and not empty (but for the end).
/// 2. White space and comments, nested ones too, lie between tokens, never inside one, except
///    between the parts of a string that continues on a further line.
/// 3. Linear in the text: each byte is looked at a constant number of times.
/// 4. The text must outlive the lexer.
class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Token next();

    /// Goes on at `position`, which must lie between two tokens.
    void seek(std::size_t position) { at_ = position; }

  private:
    bool skip_space();
    bool skip_block_comment();
    void skip_line_comment();
    bool skip_string(bool backslashes);
    bool continues();
    bool skip_quoted_identifier();
    bool skip_dollar_quoted(std::size_t tag_end);
    void skip_number();
    void skip_operators();
    Token::Kind skip_token();
    Token::Kind skip_word();
    Token::Kind skip_dollar();
    Token::Kind skip_string_as(Token::Kind kind, bool backslashes);
    char peek(std::size_t ahead = 0) const;

    std::string_view text_;
    std::size_t at_ = 0;
};

/// True for what may stand inside an unquoted identifier, and hence must not be glued to a token.
bool continues_identifier(char c);

/// Compares a token's text with a lower-case word as Postgres compares keywords.
bool is_word(std::string_view text, std::string_view lower_case_word);

}  // namespace veer::parser
