#include "parser/normalise.hpp"

#include "parser/lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace veer::parser {
namespace {

constexpr std::size_t literals_max = 30'000;  // $32768 + 30,000 stays below Postgres' $65535

/// Keywords right after which an expression begins, so that a constant there is a value and not the
/// text of a typed constant (interval '1 day'), a file name or an option.
constexpr std::array<std::string_view, 24> expression_keywords{
    "all",    "and",  "any",    "between",   "by",     "case", "distinct", "else",
    "escape", "from", "having", "ilike",     "in",     "like", "limit",    "not",
    "offset", "on",   "or",     "returning", "select", "then", "when",     "where"};

/// The two tokens before the current one; what they are decides whether a constant is cut.
class Context {
  public:
    explicit Context(std::string_view text) : text_(text) {}

    void advance(const Token& token) {
        before_last_ = last_;
        last_ = token;
    }

    bool expression_may_start() const {
        switch (last_.kind) {
            case Token::Kind::operators:
                return true;
            case Token::Kind::punctuation:
                return punctuation_starts_expression();
            case Token::Kind::word:
                return word_starts_expression();
            case Token::Kind::end:
            case Token::Kind::quoted_identifier:
            case Token::Kind::string:
            case Token::Kind::other_string:
            case Token::Kind::number:
            case Token::Kind::parameter:
                return false;
        }
        return false;
    }

  private:
    std::string_view spelling(const Token& token) const {
        return text_.substr(token.begin, token.end - token.begin);
    }

    /// Not '[': a string there must not look like the numbers of an ARRAY that were cut.
    bool punctuation_starts_expression() const {
        const char c = text_[last_.begin];
        const bool extract = before_last_.kind == Token::Kind::word &&
                             is_word(spelling(before_last_), "extract");  // extract('year' from x)
        const bool qualified_operator =
            c == ')' && before_last_.kind == Token::Kind::operators;  // OPERATOR(public.<=>)
        return c == ',' || (c == '(' && !extract) || qualified_operator;
    }

    bool word_starts_expression() const {
        const std::string_view word = spelling(last_);
        if (is_word(word, "to")) {  // SIMILAR TO '...', but not COPY ... TO '...'
            return before_last_.kind == Token::Kind::word &&
                   is_word(spelling(before_last_), "similar");
        }
        const bool qualified =
            before_last_.kind == Token::Kind::punctuation && text_[before_last_.begin] == '.';
        return !qualified && std::any_of(
                                 expression_keywords.begin(),
                                 expression_keywords.end(),
                                 [word](std::string_view each) { return is_word(word, each); }
                             );
    }

    std::string_view text_;
    Token last_;
    Token before_last_;
};

/// The value of a '...' token: quotes undone, continuations joined.
std::string string_value(std::string_view token) {
    std::string value;
    value.reserve(token.size());
    std::size_t at = 1;
    while (at < token.size()) {
        const std::size_t quote = token.find('\'', at);
        value.append(token, at, quote - at);
        if (quote + 1 >= token.size()) {
            break;
        }
        if (token[quote + 1] == '\'') {
            value += '\'';
            at = quote + 2;
            continue;
        }
        // Between the parts there are only white space and -- comments, which may hold quotes.
        at = quote + 1;
        while (token[at] != '\'') {
            at = token[at] == '-' ? token.find_first_of("\r\n", at) : at + 1;
        }
        ++at;
    }
    return value;
}

/// Scans "1, -2.5, 3e-4 ]" from `at`; gives the position of the bracket, nothing if it is not that.
std::optional<std::size_t> skip_numbers(std::string_view text, std::size_t at) {
    const auto peek = [&] {
        return at < text.size() ? text[at] : '\0';
    };
    const auto skip_space = [&] {
        while (peek() == ' ' || (peek() >= '\t' && peek() <= '\r' && peek() != '\v')) {
            ++at;
        }
    };
    const auto skip_digits = [&] {
        const std::size_t begin = at;
        while (peek() >= '0' && peek() <= '9') {
            ++at;
        }
        return at - begin;
    };
    while (true) {
        skip_space();
        at += peek() == '-' || peek() == '+' ? 1 : 0;
        std::size_t digits = skip_digits();
        if (peek() == '.') {
            ++at;
            digits += skip_digits();
        }
        if (digits == 0) {
            return std::nullopt;
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at;
            at += peek() == '-' || peek() == '+' ? 1 : 0;
            if (skip_digits() == 0) {
                return std::nullopt;
            }
        }
        skip_space();
        if (peek() != ',') {
            return peek() == ']' ? std::optional(at) : std::nullopt;
        }
        ++at;
    }
}

/// Postgres numbers parameters by int; anything longer than five digits is above the first literal.
bool is_high_parameter(std::string_view token) {
    const std::size_t digit = std::min(token.find_first_not_of('0', 1), token.size());
    const std::string_view number = token.substr(digit);
    return number.size() > 5 ||
           (number.size() == 5 && number >= std::to_string(NormalisedStatement::first_literal));
}

/// Copies a text token by token, putting placeholders in the place of literals.
class Cutter {
  public:
    explicit Cutter(std::string_view sql) : sql_(sql), lexer_(sql), context_(sql) {
        result_.text.reserve(std::min<std::size_t>(sql.size(), 4096));
    }

    NormalisedStatement run();

  private:
    bool may_cut() const {
        return result_.literals.size() < literals_max && context_.expression_may_start();
    }

    void cut(std::size_t begin, std::size_t end, Literal literal);
    void visit_string(const Token& token);
    void visit_array(const Token& bracket);

    std::string_view sql_;
    Lexer lexer_;
    Context context_;
    NormalisedStatement result_;
    std::size_t copied_ = 0;  // up to here of sql_
};

void Cutter::cut(std::size_t begin, std::size_t end, Literal literal) {
    result_.text.append(sql_, copied_, begin - copied_);
    const std::size_t placeholder = result_.text.size();
    result_.text += '$';
    result_.text += std::to_string(NormalisedStatement::first_literal + result_.literals.size());
    result_.cuts.push_back({result_.text.size(), end, placeholder, begin});
    result_.literals.push_back(std::move(literal));
    copied_ = end;
}

void Cutter::visit_string(const Token& token) {
    // A placeholder must not grow together with its neighbours: limit'5', 'a'as b.
    const bool glued = (token.begin > 0 && continues_identifier(sql_[token.begin - 1])) ||
                       (token.end < sql_.size() && continues_identifier(sql_[token.end]));
    if (may_cut() && !glued) {
        const std::string_view spelling = sql_.substr(token.begin, token.end - token.begin);
        cut(token.begin, token.end, {Literal::Kind::string, string_value(spelling)});
    }
}

/// ARRAY[1,2] becomes ARRAY[$32768]: the brackets stay, so that the text alone still tells an
/// array, which needs a cast to be a vector, from a string, which does not.
void Cutter::visit_array(const Token& bracket) {
    const std::optional<std::size_t> end = skip_numbers(sql_, bracket.end);
    if (end) {
        const std::string_view numbers = sql_.substr(bracket.end, *end - bracket.end);
        cut(bracket.end, *end, {Literal::Kind::array, std::string(numbers)});
        lexer_.seek(*end);
    }
}

NormalisedStatement Cutter::run() {
    bool array_begins = false;
    for (Token token = lexer_.next(); token.kind != Token::Kind::end; token = lexer_.next()) {
        const std::string_view spelling = sql_.substr(token.begin, token.end - token.begin);
        if (token.kind == Token::Kind::string) {
            visit_string(token);
        } else if (array_begins && spelling == "[") {
            visit_array(token);
        } else if (token.kind == Token::Kind::parameter && is_high_parameter(spelling)) {
            // The client's own $32768 would pass for a placeholder: leave this statement alone.
            return {std::string(sql_), {}, {}};
        }
        array_begins = token.kind == Token::Kind::word && is_word(spelling, "array") && may_cut();
        context_.advance(token);
    }
    result_.text.append(sql_, copied_);
    return std::move(result_);
}

}  // namespace

std::size_t NormalisedStatement::original_position(std::size_t position) const {
    const auto after = std::upper_bound(
        cuts.begin(),
        cuts.end(),
        position,
        [](std::size_t wanted, const Cut& cut) { return wanted < cut.normalised_begin; }
    );
    if (after == cuts.begin()) {
        return position;
    }
    const Cut& cut = *std::prev(after);
    return position < cut.normalised_end ? cut.original_begin
                                         : cut.original_end + (position - cut.normalised_end);
}

NormalisedStatement normalise(std::string_view sql) {
    return Cutter(sql).run();
}

}  // namespace veer::parser
