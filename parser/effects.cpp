#include "parser/effects.hpp"

#include "parser/known_names.hpp"
#include "parser/messages.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <span>

namespace veer::parser {
namespace {

using Nodes = std::span<PgQuery__Node* const>;

const std::array allowed_messages{
    &pg_query__node__descriptor,
    &pg_query__a__array_expr__descriptor,
    &pg_query__a__const__descriptor,
    &pg_query__a__expr__descriptor,
    &pg_query__a__indices__descriptor,
    &pg_query__a__indirection__descriptor,
    &pg_query__a__star__descriptor,
    &pg_query__bit_string__descriptor,
    &pg_query__bool_expr__descriptor,
    &pg_query__boolean__descriptor,
    &pg_query__boolean_test__descriptor,
    &pg_query__case_expr__descriptor,
    &pg_query__case_when__descriptor,
    &pg_query__coalesce_expr__descriptor,
    &pg_query__collate_clause__descriptor,
    &pg_query__column_ref__descriptor,
    &pg_query__float__descriptor,
    &pg_query__func_call__descriptor,
    &pg_query__integer__descriptor,
    &pg_query__list__descriptor,
    &pg_query__min_max_expr__descriptor,
    &pg_query__null_test__descriptor,
    &pg_query__param_ref__descriptor,
    &pg_query__row_expr__descriptor,
    &pg_query__sqlvalue_function__descriptor,
    &pg_query__string__descriptor,
    &pg_query__type_cast__descriptor,
    &pg_query__type_name__descriptor};

/// Beside those, in a query.
const std::array allowed_in_queries{
    &pg_query__alias__descriptor,
    &pg_query__common_table_expr__descriptor,
    &pg_query__join_expr__descriptor,
    &pg_query__range_function__descriptor,
    &pg_query__range_subselect__descriptor,
    &pg_query__range_var__descriptor,
    &pg_query__res_target__descriptor,
    &pg_query__select_stmt__descriptor,
    &pg_query__sort_by__descriptor,
    &pg_query__sub_link__descriptor,
    &pg_query__window_def__descriptor,
    &pg_query__with_clause__descriptor};

bool is_allowed(const ProtobufCMessageDescriptor* kind, bool in_query) {
    const auto among = [kind](const auto& kinds) {
        return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    };
    return among(allowed_messages) || (in_query && among(allowed_in_queries));
}

template <class Message>
const Message& as(const ProtobufCMessage& message) {
    return *static_cast<const Message*>(static_cast<const void*>(&message));
}

bool mentions_column(const ProtobufCMessage& message) {
    if (message.descriptor == &pg_query__column_ref__descriptor) {
        return true;
    }
    bool found = false;
    for_each_child(message, [&found](const ProtobufCMessage& child) {
        found = found || mentions_column(child);
    });
    return found;
}

bool mentions_column(const PgQuery__Node* node) {
    return node != nullptr && mentions_column(node->base);
}

std::string_view last_name(Nodes names) {
    return names.empty() ? std::string_view() : name_of(names.back());
}

bool is_builtin(Nodes names) {
    return names.size() == 1 || (names.size() == 2 && name_of(names[0]) == "pg_catalog");
}

bool all_measures(Nodes nodes, const Source& source) {
    return std::all_of(nodes.begin(), nodes.end(), [&source](const PgQuery__Node* node) {
        return is_measure(node, source);
    });
}

class Surveyor {
  public:
    /// Without a source: in a query.
    Surveyor(const Source* source, Effects& effects) : source_(source), effects_(effects) {}

    void visit(const ProtobufCMessage& message) {
        const auto* const kind = message.descriptor;
        if (kind == &pg_query__sub_link__descriptor && source_ != nullptr) {
            if (read_row_vector(as<PgQuery__SubLink>(message), *source_)) {
                return;  // a constant
            }
            refuse(Refusal::subquery);
        } else if (kind == &pg_query__window_def__descriptor && source_ != nullptr) {
            return;  // see(FuncCall) has seen it
        } else if (!is_allowed(kind, source_ == nullptr)) {
            refuse(Refusal::expression);
        } else if (kind == &pg_query__range_var__descriptor) {
            see(as<PgQuery__RangeVar>(message));
        } else if (kind == &pg_query__a__indirection__descriptor) {
            see(as<PgQuery__AIndirection>(message));
        } else if (kind == &pg_query__func_call__descriptor) {
            see(as<PgQuery__FuncCall>(message));
        } else if (kind == &pg_query__type_cast__descriptor) {
            see(as<PgQuery__TypeCast>(message));
        } else if (kind == &pg_query__a__expr__descriptor) {
            const auto& expression = as<PgQuery__AExpr>(message);
            if (sees_whole_distance(expression)) {
                return;
            }
            see(expression);
        } else if (kind == &pg_query__column_ref__descriptor) {
            see(as<PgQuery__ColumnRef>(message));
        }
        if (!effects_.refusal) {
            for_each_child(message, [this](const ProtobufCMessage& child) { visit(child); });
        }
    }

  private:
    bool measures(Nodes nodes) const { return source_ != nullptr && all_measures(nodes, *source_); }

    void refuse(Refusal refusal) { effects_.refusal = effects_.refusal.value_or(refusal); }

    void see(const PgQuery__AIndirection& indirection);
    void see(const PgQuery__FuncCall& call);
    bool sees_rank(const PgQuery__FuncCall& call, std::string_view name);
    void see(const PgQuery__RangeVar& table);
    void see(const PgQuery__TypeCast& cast);
    void see(const PgQuery__AExpr& expression);
    void see_distance(const PgQuery__Node* left, const PgQuery__Node* right);
    bool sees_whole_distance(const PgQuery__AExpr& expression);
    void see(const PgQuery__ColumnRef& reference);

    const Source* source_;
    Effects& effects_;
};

/// a[1] is an element; (a).b may be the call of a function.
void Surveyor::see(const PgQuery__AIndirection& indirection) {
    const Nodes steps(indirection.indirection, indirection.n_indirection);
    const bool elements = std::all_of(steps.begin(), steps.end(), [](const PgQuery__Node* step) {
        return step->node_case == PG_QUERY__NODE__NODE_A_INDICES;
    });
    if (!elements) {
        refuse(Refusal::expression);
    }
}

void Surveyor::see(const PgQuery__FuncCall& call) {
    const Nodes names(call.funcname, call.n_funcname);
    const std::string_view name = last_name(names);
    if (call.over != nullptr && sees_rank(call, name)) {
        return;
    }
    const bool groups = call.over != nullptr || call.agg_star != 0 || call.agg_distinct != 0 ||
                        call.agg_within_group != 0 || call.agg_filter != nullptr ||
                        call.n_agg_order != 0 || is_aggregate(name);
    if (groups && source_ != nullptr) {
        return refuse(Refusal::grouping);
    }
    const bool groups_known = is_builtin(names) && (is_aggregate(name) || is_window_function(name));
    if (groups_known) {
        return;
    }
    const bool total = is_total_function(name);
    if (!is_builtin(names) || (!total && !is_partial_function(name)) || call.func_variadic != 0) {
        return refuse(Refusal::function);
    }
    effects_.may_raise = effects_.may_raise || !(total || measures({call.args, call.n_args}));
    if (is_distance_function(name) && call.n_args == 2 && source_ != nullptr) {
        see_distance(call.args[0], call.args[1]);
    }
}

/// (SELECT v FROM q), or another. Two of one value that are spelled in different ways are two
/// orders to PostgreSQL, for which it sorts all rows.
bool measures_selected(const PgQuery__Node* node) {
    const auto selected = [](const PgQuery__Node* side) {
        return side != nullptr && side->node_case == PG_QUERY__NODE__NODE_SUB_LINK;
    };
    return node->node_case == PG_QUERY__NODE__NODE_A_EXPR &&
           (selected(node->a_expr->lexpr) || selected(node->a_expr->rexpr));
}

/// RANK() OVER (ORDER BY e <=> v): of the nearest rows it is the same, whatever rows are beyond
/// them.
bool Surveyor::sees_rank(const PgQuery__FuncCall& call, std::string_view name) {
    const PgQuery__WindowDef& window = *call.over;
    const bool plain = is_rank(name) && call.n_args == 0 && call.n_funcname == 1 &&
                       call.agg_filter == nullptr && window.n_partition_clause == 0 &&
                       window.n_order_clause == 1 &&
                       (window.name == nullptr || *window.name == '\0') &&
                       (window.refname == nullptr || *window.refname == '\0');
    if (source_ == nullptr) {
        return is_rank(name) && call.n_args == 0;
    }
    if (!plain || window.order_clause[0]->node_case != PG_QUERY__NODE__NODE_SORT_BY) {
        return false;
    }
    const PgQuery__SortBy& sort = *window.order_clause[0]->sort_by;
    const bool ascending = sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT ||
                           sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_ASC;
    std::variant<Distance, Refusal> read = read_distance(sort.node, *source_);
    if (!ascending || sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
        !std::holds_alternative<Distance>(read) || measures_selected(sort.node)) {
        return false;
    }
    effects_.ranked.push_back(std::get<Distance>(std::move(read)));
    return true;
}

void Surveyor::see(const PgQuery__RangeVar& table) {
    const bool present = table.relname != nullptr && *table.relname != '\0';
    if (!present || (table.catalogname != nullptr && *table.catalogname != '\0')) {
        return refuse(Refusal::join);
    }
    JoinedTable joined{.schema = std::nullopt, .table = table.relname};
    if (table.schemaname != nullptr && *table.schemaname != '\0') {
        joined.schema = table.schemaname;
    }
    effects_.tables.push_back(std::move(joined));
}

void Surveyor::see(const PgQuery__TypeCast& cast) {
    const Nodes names(cast.type_name->names, cast.type_name->n_names);
    const std::string_view name = last_name(names);
    const bool known = is_known_type(name) && cast.type_name->pct_type == 0 &&
                       (is_builtin(names) || is_vector_type(name));
    if (!known) {
        return refuse(Refusal::function);  // a type's input or a cast, which is a function, too
    }
    const bool safe = is_text_type(name) || !mentions_column(cast.arg) || measures({&cast.arg, 1});
    effects_.may_raise = effects_.may_raise || !safe;
}

void Surveyor::see(const PgQuery__AExpr& expression) {
    const Nodes names(expression.name, expression.n_name);
    const bool pattern = expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_LIKE ||
                         expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE ||
                         expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR ||
                         last_name(names).find('~') != std::string_view::npos;
    if (pattern && mentions_column(expression.rexpr)) {
        effects_.may_raise = true;  // not every text is a pattern
    }
    if (is_arithmetic(last_name(names)) && mentions_column(expression.base) &&
        !(measures({&expression.lexpr, 1}) && measures({&expression.rexpr, 1}))) {
        effects_.may_raise = true;  // overflow, division by zero
    }
    if (is_distance_operator(last_name(names)) && source_ != nullptr) {
        see_distance(expression.lexpr, expression.rexpr);
    }
}

void Surveyor::see_distance(const PgQuery__Node* left, const PgQuery__Node* right) {
    const bool column_first = read_column(left, *source_).has_value();
    auto column = read_column(column_first ? left : right, *source_);
    if (column && read_vector(column_first ? right : left, *source_)) {
        effects_.measured.push_back({.column = *std::move(column)});
    } else if (mentions_column(left) || mentions_column(right)) {
        effects_.may_raise = true;  // of vectors that may differ in dimensions
    }
}

/// What was read with care already, so that nothing inside has to be looked at:
///
///     e <=> (SELECT e FROM docs WHERE id = 7)     a vector that stands in a row
///     col::vector <=> v                           that the cast may fail is told by the column
///     that is
///                                                 measured: only while all of its values can be
///                                                 cast is a search by it answered
///     col::halfvec(n) <=> v                       answered only where an index has all of these
bool Surveyor::sees_whole_distance(const PgQuery__AExpr& expression) {
    if (source_ == nullptr) {
        return false;
    }
    PgQuery__Node node = PG_QUERY__NODE__INIT;
    node.node_case = PG_QUERY__NODE__NODE_A_EXPR;
    // The generated struct has no const members; nothing is written.
    node.a_expr = const_cast<PgQuery__AExpr*>(&expression);  // NOLINT
    const std::variant<Distance, Refusal> read = read_distance(&node, *source_);
    const auto* const distance = std::get_if<Distance>(&read);
    if (distance == nullptr) {
        return false;
    }
    const std::optional<StoredVector>& stored = distance->vector.stored;
    if (distance->from.is_plain() != stored.has_value()) {
        return false;
    }
    if (stored) {
        effects_.measured.push_back(distance->from);
        effects_.tables.push_back({stored->schema, stored->table});
        return true;
    }
    std::vector<std::string> columns{distance->from.column};
    if (distance->from.legacy) {
        columns.push_back(distance->from.legacy->column);
    }
    effects_.measured.push_back(distance->from);
    effects_.columns.insert(effects_.columns.end(), columns.begin(), columns.end());
    return true;
}

void Surveyor::see(const PgQuery__ColumnRef& reference) {
    const Nodes fields(reference.fields, reference.n_fields);
    if (fields.size() < 2 || source_ == nullptr) {
        return;
    }
    PgQuery__Node node = PG_QUERY__NODE__INIT;
    node.node_case = PG_QUERY__NODE__NODE_COLUMN_REF;
    // The generated struct has no const members; nothing is written.
    node.column_ref = const_cast<PgQuery__ColumnRef*>(&reference);  // NOLINT
    if (is_star(&node, *source_) || is_of_another(&node, *source_)) {
        return;
    }
    if (std::optional<std::string> column = read_column(&node, *source_)) {
        effects_.columns.push_back(*std::move(column));
    } else {
        refuse(Refusal::expression);  // of another table, or a field of a row
    }
}

}  // namespace

void Effects::add(const Effects& other) {
    refusal = refusal ? refusal : other.refusal;
    may_raise = may_raise || other.may_raise;
    columns.insert(columns.end(), other.columns.begin(), other.columns.end());
    ranked.insert(ranked.end(), other.ranked.begin(), other.ranked.end());
    measured.insert(measured.end(), other.measured.begin(), other.measured.end());
    tables.insert(tables.end(), other.tables.begin(), other.tables.end());
}

bool Effects::measures_others(const VectorColumn& searched) const {
    return std::any_of(measured.begin(), measured.end(), [&searched](const VectorColumn& each) {
        const bool first =
            each.column == searched.column && (each.cast.is_none() || each.cast == searched.cast);
        const bool second = searched.legacy && each.column == searched.legacy->column &&
                            (each.cast.is_none() || each.cast == searched.legacy->cast);
        return each != searched && (each.legacy || !(first || second));
    });
}

bool is_measure(const PgQuery__Node* node, const Source& source) {
    if (node == nullptr || node->node_case == PG_QUERY__NODE__NODE_A_CONST ||
        node->node_case == PG_QUERY__NODE__NODE_PARAM_REF) {
        return true;
    }
    if (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        const PgQuery__TypeName& type = *node->type_cast->type_name;
        const std::string_view name = last_name({type.names, type.n_names});
        return (name == "float8" || name == "numeric" || name == "float4") &&
               is_measure(node->type_cast->arg, source);
    }
    if (node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL) {
        const PgQuery__FuncCall& call = *node->func_call;
        const std::string_view name = last_name({call.funcname, call.n_funcname});
        const bool number = name == "round" || name == "abs" || name == "float8" ||
                            name == "numeric" || name == "sqrt" || name == "floor";
        const bool distance = name == "cosine_distance" || name == "l2_distance" ||
                              name == "inner_product" || name == "l1_distance";
        return distance || (number && all_measures({call.args, call.n_args}, source));
    }
    if (node->node_case != PG_QUERY__NODE__NODE_A_EXPR) {
        return false;
    }
    const PgQuery__AExpr& expression = *node->a_expr;
    const std::string_view name = last_name({expression.name, expression.n_name});
    return std::holds_alternative<Distance>(read_distance(node, source)) ||
           ((name == "+" || name == "-" || name == "*" || name == "/") &&
            is_measure(expression.lexpr, source) && is_measure(expression.rexpr, source));
}

void note_effects(const PgQuery__Node* expression, const Source& source, Effects& effects) {
    if (expression != nullptr) {
        Surveyor(&source, effects).visit(expression->base);
    }
}

void note_query_effects(const PgQuery__SelectStmt& query, Effects& effects) {
    Surveyor(nullptr, effects).visit(query.base);
}

}  // namespace veer::parser
