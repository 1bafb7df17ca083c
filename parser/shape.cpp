#include "parser/shape.hpp"

#include "parser/lexer.hpp"
#include "parser/normalise.hpp"
#include "parser/recognise.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace veer::parser {
namespace {

/// A chain is a run of tokens without a comma; lists are flat in a tree, everything else may nest.
/// No statement that veer answers comes near; 256 links take some 2 MB of stack at worst.
constexpr std::size_t chain_tokens_max = 256;

/// UNION chains nest across commas (SELECT 1, 2 UNION SELECT 1, 2 ...), so they count on their own.
constexpr std::size_t set_operations_max = nesting_max;

/// How deep the tree of a text can be, told from its tokens.
class DepthBound {
  public:
    /// False once the bound is passed.
    bool visit(std::string_view token, Token::Kind kind) {
        if (token == "(" || token == "[") {
            if (depth_ == nesting_max) {
                return false;
            }
            ++depth_;
            chain_.at(depth_) = 0;
        } else if (token == ")" || token == "]") {
            total_ -= depth_ == 0 ? 0 : chain_.at(depth_);
            depth_ -= depth_ == 0 ? 0 : 1;
        } else if (token == "," || token == ";") {
            total_ -= chain_.at(depth_);
            chain_.at(depth_) = 0;
        } else {
            const std::uint32_t links = kind == Token::Kind::operators ? operators_in(token) : 1;
            chain_.at(depth_) += links;
            total_ += links;
            const bool set_operation = kind == Token::Kind::word && is_set_operation(token);
            set_operations_ += set_operation ? 1 : 0;
        }
        return total_ <= chain_tokens_max && set_operations_ <= set_operations_max;
    }

  private:
    /// Postgres gives the signs at the end of a run of operator characters back one by one
    /// (scan.l), so that "*+-+" is four operators, each perhaps a level of its own. This many at
    /// most.
    static std::uint32_t operators_in(std::string_view run) {
        const auto signs =
            std::count_if(run.begin(), run.end(), [](char c) { return c == '+' || c == '-'; });
        const auto count = static_cast<std::size_t>(signs);
        return static_cast<std::uint32_t>(count + (count == run.size() ? 0 : 1));
    }

    static bool is_set_operation(std::string_view token) {
        return is_word(token, "union") || is_word(token, "intersect") || is_word(token, "except");
    }

    std::array<std::uint32_t, nesting_max + 1> chain_{};  // of each open level
    std::size_t depth_ = 0;
    std::size_t total_ = 0;  // of chain_
    std::size_t set_operations_ = 0;
};

/// The n of a client's $n; 0 for a literal that was cut.
std::uint32_t parameter_number(std::string_view spelling) {
    std::uint32_t number = 0;
    std::from_chars(spelling.data() + 1, spelling.data() + spelling.size(), number);
    return number < NormalisedStatement::first_literal ? number : 0;
}

Shape::Begin begin_of(const Token& token, std::string_view spelling) {
    if (token.kind == Token::Kind::word && is_word(spelling, "select")) {
        return Shape::Begin::select;
    }
    return spelling == "(" ? Shape::Begin::parenthesis : Shape::Begin::other;
}

}  // namespace

std::set<std::uint32_t> parameters_in(std::string_view text) {
    std::set<std::uint32_t> parameters;
    Lexer lexer(text);
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        if (token.kind == Token::Kind::parameter) {
            parameters.insert(parameter_number(text.substr(token.begin, token.end - token.begin)));
        }
    }
    return parameters;
}

Shape scan_shape(std::string_view text) {
    Shape shape;
    if (text.size() > inspected_bytes_max) {
        shape.refusal = Refusal::too_long;
        return shape;
    }
    if (text.find('\0') != std::string_view::npos) {
        shape.refusal = Refusal::parse_error;  // libpg_query would see half of it
        return shape;
    }
    Lexer lexer(text);
    DepthBound bound;
    bool first = true;
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        const std::string_view spelling = text.substr(token.begin, token.end - token.begin);
        if (first) {
            shape.begin = begin_of(token, spelling);
            first = false;
        }
        if (!bound.visit(spelling, token.kind)) {
            shape.refusal = Refusal::too_long;
            return shape;
        }
        if (token.kind == Token::Kind::parameter) {
            shape.parameters = std::max(shape.parameters, parameter_number(spelling));
        }
    }
    return shape;
}

}  // namespace veer::parser
