#include "parser/tree.hpp"

#include "parser/messages.hpp"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <charconv>

namespace veer::parser {

Tree::Tree(const std::string& text) {
    const PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(text.c_str());
    if (parsed.error == nullptr) {
        root_ = pg_query__parse_result__unpack(
            nullptr,
            parsed.parse_tree.len,
            static_cast<const std::uint8_t*>(static_cast<const void*>(parsed.parse_tree.data))
        );
    }
    pg_query_free_protobuf_parse_result(parsed);
}

Tree::~Tree() {
    pg_query__parse_result__free_unpacked(root_, nullptr);
}

std::string_view name_of(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_STRING ||
        node->string->sval == nullptr) {
        return {};
    }
    return node->string->sval;
}

std::optional<std::int64_t> integer_of(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_A_CONST) {
        return std::nullopt;
    }
    const PgQuery__AConst& constant = *node->a_const;
    if (constant.isnull != 0) {
        return std::nullopt;
    }
    if (constant.val_case == PG_QUERY__A__CONST__VAL_IVAL) {
        return constant.ival->ival;
    }
    if (constant.val_case != PG_QUERY__A__CONST__VAL_FVAL || constant.fval->fval == nullptr) {
        return std::nullopt;
    }
    // What does not fit an int4 comes as a "float", be it 2147483648 or 2.5.
    const std::string_view digits = constant.fval->fval;
    std::int64_t value = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = problem == std::errc{} && end == digits.data() + digits.size();
    return whole ? std::optional(value) : std::nullopt;
}

std::optional<std::string_view> bits_of(const PgQuery__Node* node) {
    const bool matches = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                         node->a_const->isnull == 0 &&
                         node->a_const->val_case == PG_QUERY__A__CONST__VAL_BSVAL &&
                         node->a_const->bsval->bsval != nullptr;
    // The scanner puts the letter in front.
    const std::string_view value = matches ? node->a_const->bsval->bsval : "";
    return value.starts_with('b') ? std::optional(value.substr(1)) : std::nullopt;
}

std::optional<std::int32_t> parameter_of(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_PARAM_REF) {
        return std::nullopt;
    }
    return node->param_ref->number;
}

namespace {

bool ends_with_column(
    const PgQuery__Node* condition, std::string_view table, std::string_view column
) {
    if (condition != nullptr && condition->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
        condition->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
        condition = condition->bool_expr->args[condition->bool_expr->n_args - 1];
    }
    if (condition == nullptr || condition->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) {
        return false;
    }
    const PgQuery__ColumnRef& reference = *condition->column_ref;
    return reference.n_fields == 2 && name_of(reference.fields[0]) == table &&
           name_of(reference.fields[1]) == column;
}

/// How many SELECTs have such a WHERE.
int count_conditions(
    const ProtobufCMessage& message, std::string_view table, std::string_view column
) {
    int count = 0;
    if (message.descriptor == &pg_query__select_stmt__descriptor) {
        const void* const select = &message;
        const auto& where = *static_cast<const PgQuery__SelectStmt*>(select);
        count = ends_with_column(where.where_clause, table, column) ? 1 : 0;
    }
    for_each_child(message, [&](const ProtobufCMessage& child) {
        count += count_conditions(child, table, column);
    });
    return count;
}

}  // namespace

bool is_added_condition(const Tree& tree, std::string_view table, std::string_view column) {
    return tree.get() != nullptr && tree.get()->n_stmts == 1 &&
           count_conditions(tree.get()->base, table, column) == 1;
}

bool is_null(const PgQuery__Node* node) {
    return node != nullptr && node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
           node->a_const->isnull != 0;
}

}  // namespace veer::parser
