#include "parser/function_call.hpp"

#include "parser/lexer.hpp"
#include "parser/messages.hpp"
#include "parser/range_function.hpp"
#include "parser/shape.hpp"
#include "parser/tree.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <span>

namespace veer::parser {
namespace {

using Nodes = std::span<PgQuery__Node* const>;

/// The function among the rows of which the statement chooses; null where FROM has anything else.
const PgQuery__RangeFunction* called_in(const PgQuery__SelectStmt& select) {
    const bool one = select.n_from_clause == 1 && select.with_clause == nullptr &&
                     select.from_clause[0]->node_case == PG_QUERY__NODE__NODE_RANGE_FUNCTION;
    if (!one) {
        return nullptr;
    }
    const PgQuery__RangeFunction& function = *select.from_clause[0]->range_function;
    return is_plain(function) ? &function : nullptr;
}

/// Whether the row itself is a value somewhere: m, m.* but as an output of its own, s.m.id.
bool mentions_row(const ProtobufCMessage& message, std::string_view reference) {
    if (message.descriptor == &pg_query__column_ref__descriptor) {
        const void* const node = &message;
        const auto& column = *static_cast<const PgQuery__ColumnRef*>(node);
        return column.n_fields > 2 || name_of(column.fields[0]) == reference ? column.n_fields != 2
                                                                             : false;
    }
    bool found = false;
    for_each_child(message, [&](const ProtobufCMessage& child) {
        found = found || mentions_row(child, reference);
    });
    return found;
}

/// Stars stand in the select list alone: count(m.*) is about rows.
bool mentions_star(const ProtobufCMessage& message) {
    if (message.descriptor == &pg_query__a__star__descriptor) {
        return true;
    }
    bool found = false;
    for_each_child(message, [&found](const ProtobufCMessage& child) {
        found = found || mentions_star(child);
    });
    return found;
}

bool outputs_have_stars_inside(const PgQuery__SelectStmt& select) {
    const Nodes targets(select.target_list, select.n_target_list);
    return std::any_of(targets.begin(), targets.end(), [](const PgQuery__Node* target) {
        const PgQuery__Node* const value = target->node_case == PG_QUERY__NODE__NODE_RES_TARGET
                                               ? target->res_target->val
                                               : nullptr;
        return value == nullptr ||
               (value->node_case != PG_QUERY__NODE__NODE_COLUMN_REF && mentions_star(value->base));
    });
}

bool is_about_rows(const PgQuery__SelectStmt& select, std::string_view reference) {
    const bool elsewhere =
        select.where_clause != nullptr && mentions_star(select.where_clause->base);
    return elsewhere || outputs_have_stars_inside(select) || mentions_row(select.base, reference);
}

/// FROM name ( or FROM name . name (, which is all that is worth a parse.
bool may_call(std::string_view text) {
    Lexer lexer(text);
    bool from = false;
    bool named = false;
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        const std::string_view word = text.substr(token.begin, token.end - token.begin);
        if (from && named && word == "(") {
            return true;
        }
        const bool name =
            token.kind == Token::Kind::word || token.kind == Token::Kind::quoted_identifier;
        if (token.kind == Token::Kind::word && is_word(word, "from")) {
            from = true;
            named = false;
        } else {
            from = from && (name != named) && (name || word == ".");
            named = name;
        }
    }
    return false;
}

const PgQuery__SelectStmt* only_select(const Tree& tree) {
    const bool one = tree.get() != nullptr && tree.get()->n_stmts == 1 &&
                     tree.get()->stmts[0]->stmt != nullptr &&
                     tree.get()->stmts[0]->stmt->node_case == PG_QUERY__NODE__NODE_SELECT_STMT;
    return one ? tree.get()->stmts[0]->stmt->select_stmt : nullptr;
}

}  // namespace

bool mentions_call(std::string_view text, std::string_view name) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    const auto alike = [&](char a, char b) {
        return lower(a) == lower(b);
    };
    for (auto from = text.begin(); !name.empty(); ++from) {
        from = std::search(from, text.end(), name.begin(), name.end(), alike);
        if (from == text.end()) {
            return false;
        }
        const auto at = static_cast<std::size_t>(from - text.begin());
        std::size_t end = at + name.size();
        end += end < text.size() && text[end] == '"' ? 1 : 0;
        end = std::min(text.find_first_not_of(" \t\n\r\f\v", end), text.size());
        const bool begins = at == 0 || !continues_identifier(text[at - 1]);
        if (begins && end < text.size() && text[end] == '(') {
            return true;
        }
    }
    return false;
}

std::optional<FunctionCall> read_function_call(std::string_view text) {
    if (!may_call(text) || scan_shape(text).refusal) {
        return std::nullopt;
    }
    const Tree tree{std::string(text)};
    const PgQuery__SelectStmt* const select = only_select(tree);
    const PgQuery__RangeFunction* const function = select == nullptr ? nullptr : called_in(*select);
    auto call = function == nullptr ? std::nullopt : read_range_function(text, *function);
    return call && !is_about_rows(*select, call->reference) ? call : std::nullopt;
}

}  // namespace veer::parser
