#include "parser/range_function.hpp"

#include "parser/lexer.hpp"
#include "parser/normalise.hpp"
#include "parser/tree.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <span>

namespace veer::parser {
namespace {

using Argument = FunctionCall::Argument;
using Nodes = std::span<PgQuery__Node* const>;

bool present(const char* text) {
    return text != nullptr && *text != '\0';
}

bool read_constant(const PgQuery__AConst& constant, Argument& argument) {
    if (constant.isnull != 0) {
        argument.kind = Argument::Kind::null;
        return true;
    }
    switch (constant.val_case) {
        case PG_QUERY__A__CONST__VAL_IVAL:
            argument.kind = Argument::Kind::whole;
            argument.whole = constant.ival->ival;
            return true;
        case PG_QUERY__A__CONST__VAL_FVAL: {
            const std::string_view digits = constant.fval->fval;
            argument.kind = Argument::Kind::decimal;
            return digits.find_first_of(".eE") != std::string_view::npos;  // else it is an int8
        }
        case PG_QUERY__A__CONST__VAL_BOOLVAL:
            argument.kind = Argument::Kind::truth;
            argument.truth = constant.boolval->boolval != 0;
            return true;
        default:
            return false;
    }
}

/// What stands under the casts; false where it is no value of this kind.
bool read_value(const PgQuery__Node* node, Argument& argument) {
    if (const auto number = parameter_of(node); number && *number > 0) {
        const bool cut = static_cast<std::uint32_t>(*number) >= NormalisedStatement::first_literal;
        argument.kind = cut ? Argument::Kind::string : Argument::Kind::parameter;
        argument.parameter = cut ? 0 : static_cast<std::uint32_t>(*number);
        argument.literal =
            cut ? static_cast<std::uint32_t>(*number) - NormalisedStatement::first_literal : 0;
        return true;
    }
    if (node->node_case == PG_QUERY__NODE__NODE_A_CONST) {
        return read_constant(*node->a_const, argument);
    }
    if (node->node_case != PG_QUERY__NODE__NODE_A_ARRAY_EXPR ||
        node->a_array_expr->n_elements != 1 || argument.type.empty()) {
        return false;
    }
    const auto number = parameter_of(node->a_array_expr->elements[0]);
    argument.kind = Argument::Kind::array;
    return number && *number >= static_cast<std::int32_t>(NormalisedStatement::first_literal);
}

bool read_cast(const PgQuery__TypeCast& cast, Argument& argument) {
    const PgQuery__TypeName& type = *cast.type_name;
    const Nodes names(type.names, type.n_names);
    if (type.setof != 0 || type.pct_type != 0 || names.empty() || names.size() > 2) {
        return false;
    }
    if (!argument.type.empty()) {
        return true;  // an inner one
    }
    argument.type = name_of(names.back());
    if (names.size() == 2) {
        argument.type_schema = name_of(names.front());
    }
    return !argument.type.empty() && type.n_array_bounds == 0;
}

std::optional<Argument> read_argument_of_call(const PgQuery__Node* node) {
    constexpr int casts_max = 3;
    Argument argument;
    if (node->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR) {
        argument.name = present(node->named_arg_expr->name) ? node->named_arg_expr->name : "";
        node = node->named_arg_expr->arg;
    }
    for (int casts = 0; node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST;
         ++casts) {
        if (casts == casts_max || !read_cast(*node->type_cast, argument)) {
            return std::nullopt;
        }
        node = node->type_cast->arg;
    }
    return node != nullptr && read_value(node, argument) ? std::optional(argument) : std::nullopt;
}

/// Finds the texts of a call's parts by its tokens: a tree has only where things begin.
class CallText {
  public:
    CallText(std::string_view text, std::size_t begin) : text_(text), lexer_(text) {
        lexer_.seek(begin);
        advance();
    }

    /// The name and the parenthesis behind it.
    bool skip_name(std::size_t parts) {
        for (std::size_t i = 0; i < parts; ++i) {
            if ((i > 0 && !take(".")) || !is_name()) {
                return false;
            }
            advance();
        }
        return take("(");
    }

    /// Up to the comma or the parenthesis behind the value.
    bool read_argument(Argument& argument) {
        if (!argument.name.empty()) {
            advance();
            if (!take("=>") && !(take(":") && take("="))) {
                return false;
            }
        }
        argument.begin = token_.begin;
        std::size_t depth = 0;
        for (; token_.kind != Token::Kind::end; advance()) {
            const std::string_view word = spelling();
            const bool closes = word == ")" || word == "]";
            if (depth == 0 && (closes || word == ",")) {
                argument.end = end_;
                return argument.end > argument.begin;
            }
            depth += word == "(" || word == "[" ? 1 : 0;
            depth -= closes ? 1 : 0;
            end_ = token_.end;
        }
        return false;
    }

    bool take(std::string_view wanted) {
        const bool found = token_.kind != Token::Kind::end && spelling() == wanted;
        if (found) {
            end_ = token_.end;
            advance();
        }
        return found;
    }

    /// [AS] alias
    bool skip_alias() {
        if (is_word(spelling(), "as")) {
            advance();
        }
        const bool named = is_name();
        end_ = token_.end;
        return named;
    }

    std::size_t end() const { return end_; }

  private:
    bool is_name() const {
        return token_.kind == Token::Kind::word || token_.kind == Token::Kind::quoted_identifier;
    }

    std::string_view spelling() const {
        return text_.substr(token_.begin, token_.end - token_.begin);
    }

    void advance() { token_ = lexer_.next(); }

    std::string_view text_;
    Lexer lexer_;
    Token token_;
    std::size_t end_ = 0;  // of the last token that belongs to what was read
};

bool find_texts(std::string_view text, std::size_t name_parts, bool has_alias, FunctionCall& call) {
    CallText tokens(text, call.begin);
    if (!tokens.skip_name(name_parts)) {
        return false;
    }
    for (Argument& argument : call.arguments) {
        const bool last = &argument == &call.arguments.back();
        if (!tokens.read_argument(argument) || (!last && !tokens.take(","))) {
            return false;
        }
    }
    if (!tokens.take(")") || (has_alias && !tokens.skip_alias())) {
        return false;
    }
    call.end = tokens.end();
    return true;
}

}  // namespace

bool is_plain(const PgQuery__RangeFunction& item) {
    return item.lateral == 0 && item.ordinality == 0 && item.is_rowsfrom == 0 &&
           item.n_coldeflist == 0 && item.n_functions == 1 &&
           (item.alias == nullptr || item.alias->n_colnames == 0);
}

const PgQuery__FuncCall* call_of(const PgQuery__RangeFunction& item) {
    if (item.n_functions == 0) {
        return nullptr;
    }
    // It stands in a list with its column definitions.
    const PgQuery__Node* const list = item.functions[0];
    if (list->node_case != PG_QUERY__NODE__NODE_LIST || list->list->n_items == 0 ||
        list->list->items[0]->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
        return nullptr;
    }
    const PgQuery__FuncCall& call = *list->list->items[0]->func_call;
    const bool plain = call.over == nullptr && call.agg_filter == nullptr && call.agg_star == 0 &&
                       call.agg_distinct == 0 && call.agg_within_group == 0 &&
                       call.n_agg_order == 0 && call.func_variadic == 0 && call.location >= 0 &&
                       (call.n_funcname == 1 || call.n_funcname == 2);
    return plain ? &call : nullptr;
}

std::optional<FunctionCall> read_range_function(
    std::string_view text, const PgQuery__RangeFunction& item
) {
    const PgQuery__FuncCall* const node = call_of(item);
    if (node == nullptr) {
        return std::nullopt;
    }
    const Nodes names(node->funcname, node->n_funcname);
    FunctionCall call{
        .schema = std::nullopt,
        .name = std::string(name_of(names.back())),
        .reference = {},
        .arguments = {},
        .begin = static_cast<std::size_t>(node->location)};
    if (names.size() == 2) {
        call.schema = name_of(names.front());
    }
    call.reference = item.alias == nullptr ? call.name : item.alias->aliasname;
    for (const PgQuery__Node* argument : Nodes(node->args, node->n_args)) {
        auto read = read_argument_of_call(argument);
        if (!read) {
            return std::nullopt;
        }
        call.arguments.push_back(*std::move(read));
    }
    const bool usable =
        !call.name.empty() && find_texts(text, names.size(), item.alias != nullptr, call);
    return usable ? std::optional(call) : std::nullopt;
}

}  // namespace veer::parser
