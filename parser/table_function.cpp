#include "parser/table_function.hpp"

#include "parser/lexer.hpp"
#include "parser/messages.hpp"
#include "parser/range_function.hpp"
#include "parser/shape.hpp"
#include "parser/tree.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace veer::parser {
namespace {

using Nodes = std::span<PgQuery__Node* const>;

/// veer.search or ruvector_search
bool is_own(const PgQuery__FuncCall& call) {
    const Nodes names(call.funcname, call.n_funcname);
    if (names.size() == 1) {
        return name_of(names[0]) == "ruvector_search";
    }
    return names.size() == 2 && name_of(names[0]) == "veer" && name_of(names[1]) == "search";
}

/// The calls of a tree, and those of them that are items of FROM.
struct Calls {
    std::size_t count = 0;
    const PgQuery__RangeFunction* item = nullptr;
};

void note_calls(const ProtobufCMessage& message, Calls& calls) {
    const void* const node = &message;
    if (message.descriptor == &pg_query__func_call__descriptor) {
        calls.count += is_own(*static_cast<const PgQuery__FuncCall*>(node)) ? 1 : 0;
    } else if (message.descriptor == &pg_query__range_function__descriptor) {
        const auto& item = *static_cast<const PgQuery__RangeFunction*>(node);
        const PgQuery__FuncCall* const call = call_of(item);
        calls.item = call != nullptr && is_own(*call) ? &item : calls.item;
    }
    for_each_child(message, [&calls](const ProtobufCMessage& child) { note_calls(child, calls); });
}

/// A column, qualified or not, or a star.
std::optional<TableFunction::Chosen> read_chosen(
    const PgQuery__Node* target, std::string_view reference
) {
    const PgQuery__Node* const value = target->res_target->val;
    if (value == nullptr || value->node_case != PG_QUERY__NODE__NODE_COLUMN_REF ||
        target->res_target->n_indirection != 0) {
        return std::nullopt;
    }
    const Nodes fields(value->column_ref->fields, value->column_ref->n_fields);
    if (fields.empty() || fields.size() > 2 ||
        (fields.size() == 2 && name_of(fields[0]) != reference)) {
        return std::nullopt;
    }
    const bool star = fields.back()->node_case == PG_QUERY__NODE__NODE_A_STAR;
    TableFunction::Chosen chosen{star ? "*" : std::string(name_of(fields.back())), {}};
    const char* const label = target->res_target->name;
    chosen.label = label != nullptr && *label != '\0' ? label : chosen.column;
    // The name of the rows alone is the row itself.
    return chosen.column.empty() || (fields.size() == 1 && chosen.column == reference)
               ? std::nullopt
               : std::optional(std::move(chosen));
}

/// SELECT columns FROM the call, and nothing else.
bool is_bare(const PgQuery__SelectStmt& select, const PgQuery__RangeFunction& item) {
    return select.op == PG_QUERY__SET_OPERATION__SETOP_NONE && select.n_from_clause == 1 &&
           select.from_clause[0]->node_case == PG_QUERY__NODE__NODE_RANGE_FUNCTION &&
           select.from_clause[0]->range_function == &item && select.with_clause == nullptr &&
           select.where_clause == nullptr && select.n_group_clause == 0 &&
           select.having_clause == nullptr && select.n_window_clause == 0 &&
           select.n_distinct_clause == 0 && select.n_sort_clause == 0 &&
           select.limit_count == nullptr && select.limit_offset == nullptr &&
           select.n_locking_clause == 0 && select.into_clause == nullptr &&
           select.n_target_list > 0;
}

/// The SELECT that is about nothing but this item; null where there is none. Not an arm of a UNION:
/// an ORDER BY behind it would be of the whole.
const PgQuery__SelectStmt* find_bare(
    const ProtobufCMessage& message, const PgQuery__RangeFunction& item
) {
    if (message.descriptor == &pg_query__select_stmt__descriptor) {
        const void* const node = &message;
        const auto* const select = static_cast<const PgQuery__SelectStmt*>(node);
        if (is_bare(*select, item)) {
            return select;
        }
    }
    const PgQuery__SelectStmt* found = nullptr;
    const bool arms =
        message.descriptor == &pg_query__select_stmt__descriptor;  // others are in Nodes
    for_each_child(message, [&](const ProtobufCMessage& child) {
        const bool arm = arms && child.descriptor == &pg_query__select_stmt__descriptor;
        found = found == nullptr && !arm ? find_bare(child, item) : found;
    });
    return found;
}

/// Where the SELECT in front of this position begins; nothing where another word is between.
std::optional<std::size_t> select_before(std::string_view text, std::size_t position) {
    Lexer lexer(text);
    Token before;
    for (Token token = lexer.next(); token.kind != Token::Kind::end && token.begin < position;
         token = lexer.next()) {
        before = token;
    }
    const bool select = before.kind == Token::Kind::word &&
                        is_word(text.substr(before.begin, before.end - before.begin), "select");
    return select ? std::optional(before.begin) : std::nullopt;
}

/// Behind the call the SELECT is over, and so is what it is a part of.
bool ends_after(std::string_view text, std::size_t end) {
    Lexer lexer(text);
    lexer.seek(end);
    const Token next = lexer.next();
    return next.kind == Token::Kind::end || text[next.begin] == ';' || text[next.begin] == ')';
}

void read_whole(std::string_view text, const PgQuery__SelectStmt& select, TableFunction& function) {
    const Nodes targets(select.target_list, select.n_target_list);
    const std::int32_t first = targets.front()->res_target->location;
    const auto begin =
        first < 0 ? std::nullopt : select_before(text, static_cast<std::size_t>(first));
    if (!begin || !ends_after(text, function.call->end)) {
        return;
    }
    std::vector<TableFunction::Chosen> all;
    for (const PgQuery__Node* target : targets) {
        auto chosen = read_chosen(target, function.call->reference);
        if (!chosen) {
            return;
        }
        all.push_back(*std::move(chosen));
    }
    function.chosen = std::move(all);
    function.begin = *begin;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether the word stands there, in any case.
bool has_at(std::string_view text, std::size_t at, std::string_view word) {
    return at + word.size() <= text.size() && std::equal(
                                                  word.begin(),
                                                  word.end(),
                                                  text.begin() + static_cast<std::ptrdiff_t>(at),
                                                  [](char a, char b) { return a == lower(b); }
                                              );
}

/// Past white space and the quotes of an identifier.
std::size_t past_quotes(std::string_view text, std::size_t at) {
    return std::min(text.find_first_not_of("\" \t\r\n\f\v", at), text.size());
}

/// veer.search, "veer"."search", veer . search
bool has_qualified_at(std::string_view text, std::size_t at) {
    constexpr std::string_view schema = "veer";
    if (!has_at(text, at, schema)) {
        return false;
    }
    const std::size_t dot = past_quotes(text, at + schema.size());
    return has_at(text, dot, ".") && has_at(text, past_quotes(text, dot + 1), "search");
}

bool names_one(std::string_view text, char initial) {
    for (std::size_t at = text.find(initial); at != std::string_view::npos;
         at = text.find(initial, at + 1)) {
        if (has_qualified_at(text, at) || (at >= 2 && has_at(text, at - 2, "ruvector_search"))) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool may_name_table_function(std::string_view text) {
    return names_one(text, 'v') || names_one(text, 'V');
}

std::optional<TableFunction> read_table_function(std::string_view text) {
    if (!may_name_table_function(text) || scan_shape(text).refusal) {
        return std::nullopt;
    }
    const Tree tree{std::string(text)};
    if (tree.get() == nullptr) {
        return std::nullopt;
    }
    Calls calls;
    note_calls(tree.get()->base, calls);
    if (calls.count == 0) {
        return std::nullopt;
    }
    TableFunction function;
    const bool alone = tree.get()->n_stmts == 1;
    if (alone && calls.count == 1 && calls.item != nullptr && is_plain(*calls.item)) {
        function.call = read_range_function(text, *calls.item);
    }
    const PgQuery__SelectStmt* const bare =
        function.call ? find_bare(tree.get()->base, *calls.item) : nullptr;
    if (bare != nullptr) {
        read_whole(text, *bare, function);
    }
    return function;
}

}  // namespace veer::parser
