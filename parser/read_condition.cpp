#include "parser/read_condition.hpp"

#include "parser/lexer.hpp"
#include "parser/monotone.hpp"
#include "parser/tree.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <span>
#include <utility>

namespace veer::parser {
namespace {

using Kind = Condition::Kind;
using Comparison = Condition::Comparison;
using Nodes = std::span<PgQuery__Node* const>;

constexpr std::array<std::pair<std::string_view, Comparison>, 6> comparisons{
    {{"=", Comparison::equal},
     {"<>", Comparison::not_equal},
     {"<", Comparison::less},
     {"<=", Comparison::less_or_equal},
     {">", Comparison::greater},
     {">=", Comparison::greater_or_equal}}};

std::optional<Comparison> comparison_of(const PgQuery__AExpr& expression) {
    if (expression.n_name != 1) {
        return std::nullopt;
    }
    const std::string_view symbol = name_of(expression.name[0]);
    const auto* const found =
        std::find_if(comparisons.begin(), comparisons.end(), [&](const auto& known) {
            return known.first == symbol;
        });
    return found == comparisons.end() ? std::nullopt : std::optional(found->second);
}

/// a < b is b > a.
Comparison turned(Comparison comparison) {
    switch (comparison) {
        case Comparison::less:
            return Comparison::greater;
        case Comparison::less_or_equal:
            return Comparison::greater_or_equal;
        case Comparison::greater:
            return Comparison::less;
        case Comparison::greater_or_equal:
            return Comparison::less_or_equal;
        case Comparison::equal:
        case Comparison::not_equal:
            break;
    }
    return comparison;
}

Nodes items_of(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_LIST) {
        return {};
    }
    return {node->list->items, node->list->n_items};
}

/// PostgreSQL's own name of a type without modifiers, "int4" or "int4[]"; empty for any other.
std::string type_name(const PgQuery__TypeName* type) {
    const bool plain =
        type != nullptr && type->setof == 0 && type->pct_type == 0 && type->n_typmods == 0 &&
        type->n_array_bounds <= 1 &&
        (type->n_names == 1 || (type->n_names == 2 && name_of(type->names[0]) == "pg_catalog"));
    if (!plain) {
        return {};
    }
    const std::string name(name_of(type->names[type->n_names - 1]));
    return type->n_array_bounds == 1 ? name + "[]" : name;
}

std::optional<Operand> read_constant(const PgQuery__Node* node) {
    if (is_null(node)) {
        return Operand{};
    }
    if (const auto number = integer_of(node)) {
        return Operand{*number};
    }
    const bool boolean = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                         node->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL;
    return boolean ? std::optional(Operand{node->a_const->boolval->boolval != 0}) : std::nullopt;
}

/// ARRAY[1,2], whose numbers were cut as one literal.
std::optional<Argument> read_cut_array(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_A_ARRAY_EXPR ||
        node->a_array_expr->n_elements != 1) {
        return std::nullopt;
    }
    const std::optional<Argument> argument = read_argument(node->a_array_expr->elements[0]);
    const bool cut = argument && argument->source == Argument::Source::literal;
    return cut ? argument : std::nullopt;
}

std::optional<Operand> read_operand(const PgQuery__Node* node) {
    if (node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        const std::string type = type_name(node->type_cast->type_name);
        std::optional<Operand> operand = read_operand(node->type_cast->arg);
        const bool plain = operand && !type.empty() && operand->type.empty();
        if (plain) {
            operand->type = type;
        }
        return plain ? operand : std::nullopt;
    }
    if (const auto argument = read_argument(node)) {
        return Operand{*argument};
    }
    if (const auto array = read_cut_array(node)) {
        return Operand{*array};
    }
    return read_constant(node);
}

bool is_operator(const PgQuery__AExpr& expression, std::string_view symbol) {
    return expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP && expression.n_name == 1 &&
           name_of(expression.name[0]) == symbol;
}

/// ARRAY['a', 'b'], of texts only. The first is not cut (normalise.cpp).
std::vector<Operand> read_texts(const PgQuery__Node* node) {
    std::vector<Operand> texts;
    if (node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST &&
        type_name(node->type_cast->type_name) == "text[]") {
        node = node->type_cast->arg;
    }
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_A_ARRAY_EXPR) {
        return texts;
    }
    const Nodes elements(node->a_array_expr->elements, node->a_array_expr->n_elements);
    for (const PgQuery__Node* element : elements) {
        const std::optional<Argument> argument = read_argument(element);
        if (argument && argument->source == Argument::Source::literal && !texts.empty()) {
            texts.push_back(Operand{*argument});
        } else if (element->node_case == PG_QUERY__NODE__NODE_A_CONST && element->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
            texts.push_back(Operand{std::string(element->a_const->sval->sval)});
        } else {
            return {};
        }
    }
    return texts;
}

class Reader {
  public:
    explicit Reader(const Source& source) : source_(source) {}

    Condition read(const PgQuery__Node* node) const {
        if (node == nullptr) {
            return {};
        }
        switch (node->node_case) {
            case PG_QUERY__NODE__NODE_BOOL_EXPR:
                return read_junction(*node->bool_expr);
            case PG_QUERY__NODE__NODE_NULL_TEST:
                return read_null_test(*node->null_test);
            case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
                return read_boolean_test(*node->boolean_test);
            case PG_QUERY__NODE__NODE_A_EXPR:
                return read_expression(*node->a_expr);
            case PG_QUERY__NODE__NODE_COLUMN_REF:
                return about(Kind::is_true, node);
            default:
                return {};
        }
    }

  private:
    /// Opaque where the node is no column of the table, nor column ->> 'member'.
    Condition about(Kind kind, const PgQuery__Node* node) const {
        std::optional<std::string> column = read_column(node, source_);
        if (column) {
            return Condition{.kind = kind, .column = *std::move(column)};
        }
        const bool member = kind != Kind::is_true && node != nullptr &&
                            node->node_case == PG_QUERY__NODE__NODE_A_EXPR &&
                            is_operator(*node->a_expr, "->>");
        if (!member) {
            return {};
        }
        column = read_column(node->a_expr->lexpr, source_);
        const std::optional<Argument> name = read_argument(node->a_expr->rexpr);
        return column && name && name->source == Argument::Source::literal
                   ? Condition{.kind = kind, .column = *std::move(column), .member = name}
                   : Condition{};
    }

    Condition containing(Kind kind, const PgQuery__Node* column, const PgQuery__Node* other) const {
        std::optional<std::string> name = read_column(column, source_);
        if (!name) {
            return {};
        }
        Condition condition{.kind = kind, .column = *std::move(name)};
        if (auto operand = read_operand(other)) {
            condition.operands.push_back(*std::move(operand));
            return condition;
        }
        condition.elements = true;
        condition.operands = read_texts(other);
        return condition.operands.empty() ? Condition{} : condition;
    }

    static Condition joined(Kind kind, Condition one, Condition other) {
        Condition both{.kind = kind};
        both.children.push_back(std::move(one));
        both.children.push_back(std::move(other));
        return both;
    }

    static Condition negated(Condition condition) {
        Condition negation{.kind = Kind::negation};
        negation.children.push_back(std::move(condition));
        return negation;
    }

    Condition read_junction(const PgQuery__BoolExpr& junction) const {
        Condition condition;
        switch (junction.boolop) {
            case PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR:
                condition.kind = Kind::all_of;
                break;
            case PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR:
                condition.kind = Kind::any_of;
                break;
            case PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR:
                condition.kind = Kind::negation;
                break;
            default:
                return {};
        }
        for (const PgQuery__Node* child : Nodes(junction.args, junction.n_args)) {
            condition.children.push_back(read(child));
        }
        return condition;
    }

    Condition read_null_test(const PgQuery__NullTest& test) const {
        Condition condition = about(Kind::is_null, test.arg);
        return test.nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL
                   ? condition
                   : negated(std::move(condition));
    }

    /// A column that is NULL is neither true nor false here, but that is not unknown.
    Condition read_boolean_test(const PgQuery__BooleanTest& test) const {
        Condition value = about(Kind::is_true, test.arg);
        Condition null = about(Kind::is_null, test.arg);
        if (value.kind == Kind::opaque) {
            return value;
        }
        Condition known = negated(null);
        switch (test.booltesttype) {
            case PG_QUERY__BOOL_TEST_TYPE__IS_TRUE:
                return joined(Kind::all_of, std::move(known), std::move(value));
            case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE:
                return joined(Kind::any_of, std::move(null), negated(std::move(value)));
            case PG_QUERY__BOOL_TEST_TYPE__IS_FALSE:
                return joined(Kind::all_of, std::move(known), negated(std::move(value)));
            case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE:
                return joined(Kind::any_of, std::move(null), std::move(value));
            default:
                return {};  // IS UNKNOWN asks for a boolean, IS NULL for anything
        }
    }

    Condition read_expression(const PgQuery__AExpr& expression) const {
        switch (expression.kind) {
            case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
                return read_comparison(expression);
            case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
                return read_list(expression);
            case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
                return comparison_of(expression) == Comparison::equal ? read_array(expression)
                                                                      : Condition{};
            case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
                return comparison_of(expression) == Comparison::not_equal
                           ? negated(read_array(expression))
                           : Condition{};
            case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
                return read_between(expression);
            case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
                return negated(read_between(expression));
            default:
                return {};
        }
    }

    Condition compared(
        const PgQuery__Node* column, Comparison comparison, const PgQuery__Node* other
    ) const {
        std::optional<Operand> operand = read_operand(other);
        Condition condition = about(Kind::compare, column);
        if (!operand || condition.kind == Kind::opaque) {
            return {};
        }
        condition.comparison = comparison;
        condition.operands.push_back(*std::move(operand));
        return condition;
    }

    Condition read_comparison(const PgQuery__AExpr& expression) const {
        if (is_operator(expression, "@>")) {
            return containing(Kind::contains, expression.lexpr, expression.rexpr);
        }
        if (is_operator(expression, "<@")) {
            return containing(Kind::contains, expression.rexpr, expression.lexpr);
        }
        if (is_operator(expression, "&&")) {
            Condition condition = containing(Kind::overlaps, expression.lexpr, expression.rexpr);
            return condition.kind != Kind::opaque
                       ? condition
                       : containing(Kind::overlaps, expression.rexpr, expression.lexpr);
        }
        const std::optional<Comparison> comparison = comparison_of(expression);
        if (!comparison) {
            return {};
        }
        Condition condition = compared(expression.lexpr, *comparison, expression.rexpr);
        return condition.kind != Kind::opaque
                   ? condition
                   : compared(expression.rexpr, turned(*comparison), expression.lexpr);
    }

    /// IN is spelt "=", NOT IN "<>".
    Condition read_list(const PgQuery__AExpr& expression) const {
        const std::optional<Comparison> comparison = comparison_of(expression);
        Condition condition = about(Kind::one_of, expression.lexpr);
        for (const PgQuery__Node* item : items_of(expression.rexpr)) {
            std::optional<Operand> operand = read_operand(item);
            if (!operand) {
                return {};
            }
            condition.operands.push_back(*std::move(operand));
        }
        if (!comparison || condition.operands.empty()) {
            return {};
        }
        return *comparison == Comparison::equal ? condition : negated(std::move(condition));
    }

    Condition read_array(const PgQuery__AExpr& expression) const {
        std::optional<Operand> operand = read_operand(expression.rexpr);
        Condition condition = about(Kind::one_of_array, expression.lexpr);
        if (!operand || !std::holds_alternative<Argument>(operand->value)) {
            return {};
        }
        condition.operands.push_back(*std::move(operand));
        return condition;
    }

    Condition read_between(const PgQuery__AExpr& expression) const {
        const Nodes bounds = items_of(expression.rexpr);
        if (bounds.size() != 2) {
            return {};
        }
        return joined(
            Kind::all_of,
            compared(expression.lexpr, Comparison::greater_or_equal, bounds[0]),
            compared(expression.lexpr, Comparison::less_or_equal, bounds[1])
        );
    }

    const Source& source_;
};

std::uint32_t number_of(std::string_view parameter) {
    std::uint32_t number = 0;
    std::from_chars(parameter.data() + 1, parameter.data() + parameter.size(), number);
    return number;
}

void mark(const std::map<std::uint32_t, unsigned>& counts, Condition& condition) {
    for (Operand& operand : condition.operands) {
        const auto* const argument = std::get_if<Argument>(&operand.value);
        if (argument != nullptr && argument->source == Argument::Source::parameter) {
            const auto count = counts.find(argument->index + 1);
            operand.alone = count == counts.end() || count->second == 1;
        }
    }
    for (Condition& child : condition.children) {
        mark(counts, child);
    }
}

}  // namespace

Condition read_condition(const PgQuery__Node* where, const Source& source) {
    return Reader(source).read(where);
}

bool excludes_nulls(const PgQuery__Node* where, const Source& source, const VectorColumn& column) {
    if (where == nullptr) {
        return false;
    }
    if (where->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
        where->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
        const Nodes terms(where->bool_expr->args, where->bool_expr->n_args);
        return std::any_of(terms.begin(), terms.end(), [&](const PgQuery__Node* term) {
            return excludes_nulls(term, source, column);
        });
    }
    if (where->node_case == PG_QUERY__NODE__NODE_NULL_TEST) {
        return where->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL &&
               read_vector_column(where->null_test->arg, source) == column;
    }
    const bool compares = where->node_case == PG_QUERY__NODE__NODE_A_EXPR &&
                          where->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP &&
                          comparison_of(*where->a_expr).has_value();
    const auto measures = [&](const PgQuery__Node* side) {
        const auto computed = read_monotone(side);
        const auto read = read_distance(computed ? computed->operand : side, source);
        const auto* const distance = std::get_if<Distance>(&read);
        return distance != nullptr && distance->from == column;
    };
    return compares && (measures(where->a_expr->lexpr) || measures(where->a_expr->rexpr));
}

std::map<std::uint32_t, unsigned> count_parameters(std::string_view text) {
    std::map<std::uint32_t, unsigned> counts;
    Lexer lexer(text);
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        if (token.kind == Token::Kind::parameter) {
            ++counts[number_of(text.substr(token.begin, token.end - token.begin))];
        }
    }
    return counts;
}

void count_compared(
    const Condition& condition, std::string_view column, std::map<std::uint32_t, unsigned>& counts
) {
    const bool compares = condition.kind == Kind::compare || condition.kind == Kind::one_of;
    for (const Operand& operand : condition.operands) {
        const auto* const argument = std::get_if<Argument>(&operand.value);
        if (compares && condition.column == column && operand.type.empty() && argument != nullptr &&
            argument->source == Argument::Source::parameter) {
            ++counts[argument->index + 1];
        }
    }
    for (const Condition& child : condition.children) {
        count_compared(child, column, counts);
    }
}

void note_shared_parameters(std::string_view text, Condition& condition) {
    mark(count_parameters(text), condition);
}

}  // namespace veer::parser
