#include "parser/stored_vector.hpp"

#include "parser/effects.hpp"
#include "parser/from.hpp"
#include "parser/lexer.hpp"
#include "parser/messages.hpp"
#include "parser/read_condition.hpp"
#include "parser/row_select.hpp"

#include <pg_query/pg_query.pb-c.h>

namespace veer::parser {
namespace {

/// SELECT one output FROM ... WHERE ... [LIMIT 1], and nothing else.
bool is_plain(const PgQuery__SelectStmt& select) {
    const bool limited = select.limit_count == nullptr || integer_of(select.limit_count) == 1;
    return is_plain_select(select) && select.limit_offset == nullptr && limited &&
           select.n_target_list == 1 &&
           select.target_list[0]->node_case == PG_QUERY__NODE__NODE_RES_TARGET &&
           select.where_clause != nullptr;
}

bool has_subselect(const ProtobufCMessage& message) {
    bool found = message.descriptor == &pg_query__sub_link__descriptor;
    for_each_child(message, [&found](const ProtobufCMessage& child) {
        found = found || has_subselect(child);
    });
    return found;
}

}  // namespace

std::optional<StoredVector> read_stored_vector(const PgQuery__Node* node) {
    const bool scalar = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_SUB_LINK &&
                        node->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK &&
                        node->sub_link->location >= 0 && node->sub_link->subselect != nullptr &&
                        node->sub_link->subselect->node_case == PG_QUERY__NODE__NODE_SELECT_STMT;
    if (!scalar || !is_plain(*node->sub_link->subselect->select_stmt)) {
        return std::nullopt;
    }
    const PgQuery__SelectStmt& select = *node->sub_link->subselect->select_stmt;
    const std::optional<From> from = read_from(select);
    if (!from || from->tables.size() != 1) {
        return std::nullopt;
    }
    // One inside the other would be read again by every expression around it.
    if (has_subselect(select.where_clause->base)) {
        return std::nullopt;
    }
    const Source& source = from->tables.front().source;
    std::optional<std::string> column = read_column(select.target_list[0]->res_target->val, source);
    Effects effects;
    note_effects(select.where_clause, source, effects);
    if (!column || effects.refusal || !effects.ranked.empty() || !effects.tables.empty()) {
        return std::nullopt;
    }
    StoredVector stored;
    stored.schema = source.schema;
    stored.table = source.table;
    stored.column = *std::move(column);
    stored.condition = read_condition(select.where_clause, source);
    stored.limited = select.limit_count != nullptr;
    stored.begin = static_cast<std::size_t>(node->sub_link->location);
    return stored;
}

std::optional<std::size_t> end_of_parenthesis(std::string_view text, std::size_t begin) {
    Lexer lexer(text);
    lexer.seek(begin);
    std::size_t open = 0;
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        const std::string_view spelling = text.substr(token.begin, token.end - token.begin);
        open += spelling == "(" ? 1 : 0;
        open -= spelling == ")" && open > 0 ? 1 : 0;
        if (open == 0) {
            return spelling == ")" ? std::optional(token.end) : std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace veer::parser
