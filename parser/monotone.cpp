#include "parser/monotone.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <charconv>
#include <cmath>
#include <string_view>

namespace veer::parser {
namespace {

std::optional<double> number_of(const PgQuery__Node* node) {
    constexpr double largest = 1000;
    constexpr double smallest = 0.001;
    std::optional<double> number;
    if (const auto whole = integer_of(node)) {
        number = static_cast<double>(*whole);
    } else if (
        node != nullptr && node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
        node->a_const->isnull == 0 && node->a_const->val_case == PG_QUERY__A__CONST__VAL_FVAL &&
        node->a_const->fval->fval != nullptr
    ) {
        const std::string_view digits = node->a_const->fval->fval;
        double value = 0;
        const auto [end, problem] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (problem == std::errc{} && end == digits.data() + digits.size()) {
            number = value;
        }
    }
    const bool moderate = number && std::abs(*number) >= smallest && std::abs(*number) <= largest;
    return moderate ? number : std::nullopt;  // nor is it zero
}

/// One operator taken off: 1 - x, of x.
std::optional<Monotone> take_off(const PgQuery__AExpr& expression) {
    const std::string_view symbol = name_of(expression.name[0]);
    const PgQuery__Node* const left = expression.lexpr;
    const PgQuery__Node* const right = expression.rexpr;
    if (left == nullptr) {
        return symbol == "-" ? std::optional(Monotone{right, true}) : std::nullopt;
    }
    if (const auto before = number_of(left)) {
        if (symbol == "-" || symbol == "+") {
            return Monotone{right, symbol == "-"};
        }
        return symbol == "*" && *before != 1 ? std::optional(Monotone{right, *before < 0})
                                             : std::nullopt;
    }
    const auto behind = number_of(right);
    if (!behind) {
        return std::nullopt;
    }
    if (symbol == "-" || symbol == "+") {
        return Monotone{left, false};
    }
    const bool scales = (symbol == "*" || symbol == "/") && *behind != 1;
    return scales ? std::optional(Monotone{left, *behind < 0}) : std::nullopt;
}

}  // namespace

std::optional<Monotone> read_monotone(const PgQuery__Node* node) {
    constexpr int operators_max = 3;  // (2 - x) / 2 and a sign; more could make 1 of all numbers
    std::optional<Monotone> found;
    for (int operators = 0;
         operators < operators_max && node != nullptr &&
         node->node_case == PG_QUERY__NODE__NODE_A_EXPR &&
         node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP && node->a_expr->n_name == 1;
         ++operators) {
        const auto inner = take_off(*node->a_expr);
        if (!inner) {
            break;
        }
        found = Monotone{inner->operand, inner->falling != (found && found->falling)};
        node = inner->operand;
    }
    return found;
}

}  // namespace veer::parser
