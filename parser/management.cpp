#include "parser/management.hpp"

#include "parser/lexer.hpp"
#include "parser/messages.hpp"
#include "parser/shape.hpp"
#include "parser/tree.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <span>

namespace veer::parser {
namespace {

using Nodes = std::span<PgQuery__Node* const>;
using Kind = Management::Kind;

/// A SELECT that registers something says little more.
constexpr std::size_t select_bytes_max = 2048;

constexpr std::string_view access_method = "veer";

std::string text_of(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

std::string unsupported(std::string_view what) {
    return "access method \"veer\" does not support " + std::string(what);
}

/// A number, a string, a word: how WITH has it.
std::string value_of(const PgQuery__Node* node) {
    if (node == nullptr) {
        return {};
    }
    switch (node->node_case) {
        case PG_QUERY__NODE__NODE_INTEGER:
            return std::to_string(node->integer->ival);
        case PG_QUERY__NODE__NODE_FLOAT:
            return text_of(node->float_->fval);
        case PG_QUERY__NODE__NODE_STRING:
            return text_of(node->string->sval);
        case PG_QUERY__NODE__NODE_TYPE_NAME:
            return node->type_name->n_names == 0
                       ? std::string()
                       : std::string(name_of(node->type_name->names[node->type_name->n_names - 1]));
        default:
            return {};
    }
}

void read_relation(const PgQuery__RangeVar& relation, Management& management) {
    management.table = text_of(relation.relname);
    if (relation.schemaname != nullptr && *relation.schemaname != '\0') {
        management.schema = relation.schemaname;
    }
    if (relation.catalogname != nullptr && *relation.catalogname != '\0') {
        management.refused = "cross-database references are not implemented: \"" +
                             text_of(relation.catalogname) + '.' + text_of(relation.schemaname) +
                             '.' + management.table + '"';
    }
}

/// What an index of veer's has not, in the order in which Postgres asks an access method.
std::string refuse(const PgQuery__IndexStmt& index, const PgQuery__IndexElem& column) {
    if (index.unique != 0) {
        return unsupported("unique indexes");
    }
    if (index.n_index_including_params > 0) {
        return unsupported("included columns");
    }
    if (index.n_index_params > 1) {
        return unsupported("multicolumn indexes");
    }
    if (index.where_clause != nullptr) {
        return unsupported("partial indexes");
    }
    if (column.expr != nullptr) {
        return unsupported("indexes on expressions");
    }
    if (index.table_space != nullptr && *index.table_space != '\0') {
        return unsupported("tablespaces");
    }
    if (column.n_collation > 0) {
        return unsupported("collations");
    }
    if (column.ordering > PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT) {
        return unsupported("ASC/DESC options");
    }
    if (column.nulls_ordering > PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT) {
        return unsupported("NULLS FIRST/LAST options");
    }
    return column.n_opclassopts > 0 ? unsupported("options of operator classes") : std::string();
}

std::optional<Management> read_create(const PgQuery__IndexStmt& index) {
    if (text_of(index.access_method) != access_method || index.relation == nullptr ||
        index.n_index_params == 0) {
        return std::nullopt;
    }
    Management management;
    management.name = text_of(index.idxname);
    management.if_there = index.if_not_exists != 0;
    read_relation(*index.relation, management);
    const PgQuery__IndexElem& column = *index.index_params[0]->index_elem;
    management.column = text_of(column.name);
    if (column.n_opclass > 0) {
        management.operator_class = name_of(column.opclass[column.n_opclass - 1]);
    }
    for (const PgQuery__Node* const option : Nodes(index.options, index.n_options)) {
        const PgQuery__DefElem& element = *option->def_elem;
        management.options.push_back({text_of(element.defname), value_of(element.arg)});
    }
    if (management.refused.empty()) {
        management.refused = refuse(index, column);
    }
    return management;
}

std::optional<Management> read_drop(const PgQuery__DropStmt& drop, const HasIndex& has_index) {
    if (drop.remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_INDEX) {
        return std::nullopt;
    }
    for (const PgQuery__Node* const object : Nodes(drop.objects, drop.n_objects)) {
        if (object->node_case != PG_QUERY__NODE__NODE_LIST) {
            continue;
        }
        const Nodes names(object->list->items, object->list->n_items);
        if (names.empty() || names.size() > 2 || !has_index(name_of(names.back()))) {
            continue;
        }
        Management management;
        management.kind = Kind::drop_index;
        management.name = name_of(names.back());
        management.if_there = drop.missing_ok != 0;
        if (names.size() == 2) {
            management.schema = name_of(names.front());
        }
        if (drop.n_objects > 1) {
            management.refused = "DROP INDEX of an index of veer's drops no other with it";
        }
        return management;
    }
    return std::nullopt;
}

/// What the function is for; nothing of any other.
std::optional<Management> read_name(const PgQuery__FuncCall& call) {
    const Nodes names(call.funcname, call.n_funcname);
    Management management;
    if (names.size() == 1) {
        management.by_ruvector = true;
        if (name_of(names[0]) == "ruvector_register_collection") {
            management.kind = Kind::enlist;
            return management;
        }
        management.kind = Kind::unlist;
        return name_of(names[0]) == "ruvector_unregister_collection" ? std::optional(management)
                                                                     : std::nullopt;
    }
    if (names.size() != 2 || name_of(names[0]) != "veer") {
        return std::nullopt;
    }
    management.kind = name_of(names[1]) == "register" ? Kind::enlist : Kind::unlist;
    return name_of(names[1]) == "register" || name_of(names[1]) == "unregister"
               ? std::optional(management)
               : std::nullopt;
}

enum Parameter : std::size_t { name, schema, table, column, dims, metric, parameter_count };

/// Their names, and those that RuVector's function has for them.
constexpr std::array<std::array<std::string_view, 2>, parameter_count> parameter_names{
    {{"name", "p_name"},
     {"schema", "p_table_schema"},
     {"table", "p_table_name"},
     {"column", "p_column_name"},
     {"dims", "p_dimensions"},
     {"metric", "p_distance_metric"}}};

/// False where it is no constant of the parameter's type, under casts or not. NULL is as if it were
/// not given.
bool read_value(const PgQuery__Node* node, std::size_t place, Management& management) {
    while (node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        node = node->type_cast->arg;
    }
    if (is_null(node)) {
        return true;
    }
    if (place == dims) {
        management.dimensions = integer_of(node);
        return management.dimensions.has_value();
    }
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_A_CONST ||
        node->a_const->val_case != PG_QUERY__A__CONST__VAL_SVAL) {
        return false;
    }
    const std::string value = text_of(node->a_const->sval->sval);
    switch (place) {
        case name:
            management.name = value;
            break;
        case schema:
            management.schema = value;
            break;
        case table:
            management.table = value;
            break;
        case column:
            management.column = value;
            break;
        default:
            management.metric = value;
    }
    return true;
}

bool read_arguments(const PgQuery__FuncCall& call, Management& management) {
    const std::size_t count = management.kind == Kind::enlist ? parameter_count : schema;
    std::array<bool, parameter_count> given{};
    for (std::size_t i = 0; i < call.n_args; ++i) {
        const PgQuery__Node* node = call.args[i];
        std::size_t place = i;
        if (node->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR) {
            const std::string argument = text_of(node->named_arg_expr->name);
            const auto* const found =
                std::find_if(parameter_names.begin(), parameter_names.end(), [&](const auto& each) {
                    return each[0] == argument || each[1] == argument;
                });
            place = static_cast<std::size_t>(found - parameter_names.begin());
            node = node->named_arg_expr->arg;
        }
        if (place >= count || given[place] || !read_value(node, place, management)) {
            return false;
        }
        given[place] = true;
    }
    const bool plain = call.agg_filter == nullptr && call.over == nullptr &&
                       call.n_agg_order == 0 && call.agg_star == 0 && call.agg_distinct == 0 &&
                       call.func_variadic == 0;
    const bool whole = management.kind == Kind::unlist ||
                       (!management.table.empty() && !management.column.empty());
    return plain && whole && !management.name.empty();
}

/// The call that a SELECT is about, and nothing else: SELECT f(), or SELECT * FROM f().
const PgQuery__FuncCall* call_of(const PgQuery__SelectStmt& select) {
    const bool plain = select.op == PG_QUERY__SET_OPERATION__SETOP_NONE &&
                       select.n_target_list == 1 && select.where_clause == nullptr &&
                       select.with_clause == nullptr && select.n_group_clause == 0 &&
                       select.having_clause == nullptr && select.n_window_clause == 0 &&
                       select.n_distinct_clause == 0 && select.n_sort_clause == 0 &&
                       select.limit_count == nullptr && select.limit_offset == nullptr &&
                       select.n_locking_clause == 0 && select.into_clause == nullptr;
    if (!plain || select.target_list[0]->res_target->val == nullptr) {
        return nullptr;
    }
    const PgQuery__Node& target = *select.target_list[0]->res_target->val;
    if (select.n_from_clause == 0) {
        return target.node_case == PG_QUERY__NODE__NODE_FUNC_CALL ? target.func_call : nullptr;
    }
    const bool star = target.node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
                      target.column_ref->n_fields == 1 &&
                      target.column_ref->fields[0]->node_case == PG_QUERY__NODE__NODE_A_STAR;
    if (!star || select.n_from_clause != 1 ||
        select.from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_FUNCTION) {
        return nullptr;
    }
    const PgQuery__RangeFunction& item = *select.from_clause[0]->range_function;
    const bool one = item.n_functions == 1 && item.lateral == 0 && item.ordinality == 0 &&
                     item.n_coldeflist == 0 &&
                     item.functions[0]->node_case == PG_QUERY__NODE__NODE_LIST &&
                     item.functions[0]->list->n_items > 0;
    const PgQuery__Node* const function = one ? item.functions[0]->list->items[0] : nullptr;
    return function != nullptr && function->node_case == PG_QUERY__NODE__NODE_FUNC_CALL
               ? function->func_call
               : nullptr;
}

/// The first of such calls below; nothing where there is none.
std::optional<Management> find_call(const ProtobufCMessage& message) {
    std::optional<Management> found;
    if (message.descriptor == &pg_query__func_call__descriptor) {
        const void* const node = &message;
        found = read_name(*static_cast<const PgQuery__FuncCall*>(node));
    }
    for_each_child(message, [&found](const ProtobufCMessage& child) {
        found = found ? found : find_call(child);
    });
    return found;
}

std::optional<Management> read_select(const PgQuery__SelectStmt& select) {
    const PgQuery__FuncCall* const call = call_of(select);
    std::optional<Management> management = call == nullptr ? std::nullopt : read_name(*call);
    if (!management) {
        management = find_call(select.base);
    } else if (read_arguments(*call, *management)) {
        return management;
    }
    if (management) {
        management->refused =
            management->kind == Kind::enlist
                ? "it is called as SELECT veer.register(name, schema, table, column, dims, metric),"
                  " alone and with constants"
                : "it is called as SELECT veer.unregister(name), alone and with a constant";
    }
    return management;
}

std::optional<Management> read_statement(const PgQuery__Node& node, const HasIndex& has_index) {
    switch (node.node_case) {
        case PG_QUERY__NODE__NODE_INDEX_STMT:
            return read_create(*node.index_stmt);
        case PG_QUERY__NODE__NODE_DROP_STMT:
            return read_drop(*node.drop_stmt, has_index);
        case PG_QUERY__NODE__NODE_SELECT_STMT:
            return read_select(*node.select_stmt);
        default:
            return std::nullopt;
    }
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains(std::string_view text, std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
               return lower(a) == b;
           }) != text.end();
}

}  // namespace

bool may_manage(std::string_view text) {
    Lexer lexer(text);
    const auto next_is = [&](std::string_view word) {
        const Token token = lexer.next();
        return token.kind == Token::Kind::word &&
               is_word(text.substr(token.begin, token.end - token.begin), word);
    };
    const Token first = lexer.next();
    if (first.kind != Token::Kind::word) {
        return false;
    }
    const std::string_view word = text.substr(first.begin, first.end - first.begin);
    if (is_word(word, "select")) {
        return text.size() <= select_bytes_max && contains(text, "register") &&
               (contains(text, "veer") || contains(text, "ruvector_"));
    }
    if (is_word(word, "drop")) {
        return next_is("index");
    }
    if (!is_word(word, "create")) {
        return false;
    }
    Lexer again = lexer;
    return (next_is("index") || (lexer = again, next_is("unique"))) && contains(text, "veer");
}

std::optional<Management> read_management(std::string_view text, const HasIndex& has_index) {
    if (!may_manage(text) || scan_shape(text).refusal) {
        return std::nullopt;
    }
    const Tree tree{std::string(text)};
    if (tree.get() == nullptr) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < tree.get()->n_stmts; ++i) {
        const PgQuery__Node* const node = tree.get()->stmts[i]->stmt;
        std::optional<Management> found =
            node == nullptr ? std::nullopt : read_statement(*node, has_index);
        if (found) {
            found->alone = tree.get()->n_stmts == 1;
            return found;
        }
    }
    return std::nullopt;
}

}  // namespace veer::parser
