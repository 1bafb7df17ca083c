#include "parser/expression.hpp"

#include "parser/normalise.hpp"
#include "parser/row_select.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <span>

namespace veer::parser {
namespace {

constexpr std::array<std::string_view, 6> distance_operators{
    "<->", "<=>", "<#>", "<+>", "<~>", "<%>"};

using Nodes = std::span<PgQuery__Node* const>;

const PgQuery__AExpr* operator_expression(const PgQuery__Node* node) {
    const bool matches = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_A_EXPR &&
                         node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP;
    return matches ? node->a_expr : nullptr;
}

Nodes column_fields(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) {
        return {};
    }
    return {node->column_ref->fields, node->column_ref->n_fields};
}

/// binary_quantize(col)::bit(n), subvector(col, 1, 3)::vector(3): orders that pgvector has indexes
/// of expressions for.
bool is_derived_vector(const PgQuery__Node* node) {
    const bool cast = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST;
    const PgQuery__Node* const inner = cast ? node->type_cast->arg : node;
    if (inner == nullptr || inner->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
        return false;
    }
    const PgQuery__FuncCall& call = *inner->func_call;
    const std::string_view name =
        call.n_funcname == 0 ? std::string_view() : name_of(call.funcname[call.n_funcname - 1]);
    return (name == "binary_quantize" || name == "subvector") && call.n_args > 0 &&
           call.args[0]->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
}

bool is_star_field(const PgQuery__Node* field) {
    return field->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

/// Whether the names before the last one, if any, are those of the source.
bool qualifies(Nodes qualifiers, const Source& source) {
    if (qualifiers.empty()) {
        return source.alone();
    }
    if (qualifiers.size() == 1) {
        return name_of(qualifiers[0]) == source.reference;
    }
    return qualifiers.size() == 2 && !source.has_alias && source.schema &&
           name_of(qualifiers[0]) == *source.schema && name_of(qualifiers[1]) == source.table;
}

std::optional<VectorExpression> find_given(
    const std::vector<GivenVector>& given, std::string_view table, std::string_view column
) {
    const auto found = std::find_if(given.begin(), given.end(), [&](const GivenVector& each) {
        return each.table == table && each.column == column;
    });
    return found == given.end() ? std::nullopt : std::optional(found->vector);
}

}  // namespace

bool Distance::same_measure(const Distance& other) const {
    return from == other.from && operator_name == other.operator_name &&
           operator_schema == other.operator_schema;
}

std::optional<std::string> read_column(const PgQuery__Node* node, const Source& source) {
    const Nodes fields = column_fields(node);
    if (fields.empty() || !qualifies(fields.first(fields.size() - 1), source)) {
        return std::nullopt;
    }
    const std::string_view name = name_of(fields.back());
    return name.empty() ? std::nullopt : std::optional<std::string>(name);
}

bool is_star(const PgQuery__Node* node, const Source& source) {
    const Nodes fields = column_fields(node);
    return is_star(node) &&
           (fields.size() == 1 || qualifies(fields.first(fields.size() - 1), source));
}

bool is_star(const PgQuery__Node* node) {
    const Nodes fields = column_fields(node);
    return !fields.empty() && is_star_field(fields.back());
}

std::string_view column_name(const PgQuery__Node* node) {
    const Nodes fields = column_fields(node);
    return fields.empty() ? std::string_view() : name_of(fields.back());
}

bool is_of_another(const PgQuery__Node* node, const Source& source) {
    const Nodes fields = column_fields(node);
    if (fields.size() < 2 || fields.size() > 3) {
        return false;
    }
    const std::string_view table = name_of(fields[fields.size() - 2]);
    const bool around =
        fields.size() == 2 &&
        std::any_of(source.given.begin(), source.given.end(), [&](const auto& each) {
            return each.table == table;
        });
    return around ||
           std::find(source.others.begin(), source.others.end(), table) != source.others.end();
}

std::optional<VectorExpression> read_vector(const PgQuery__Node* node, const Source& source) {
    const Nodes fields = column_fields(node);
    if (fields.size() == 2) {
        return find_given(source.given, name_of(fields[0]), name_of(fields[1]));
    }
    if (node != nullptr && node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
        if (auto vector = read_row_vector(*node->sub_link, source)) {
            return vector;
        }
    }
    return read_vector(node);
}

std::optional<VectorExpression> read_row_vector(
    const PgQuery__SubLink& link, const Source& source
) {
    const auto row = source.rows.empty() ? std::nullopt : read_row_select(link);
    return row ? find_given(source.rows, row->query, row->column) : std::nullopt;
}

bool is_distance_operator(std::string_view symbol) {
    return std::find(distance_operators.begin(), distance_operators.end(), symbol) !=
           distance_operators.end();
}

std::variant<Distance, Refusal> read_distance(const PgQuery__Node* node, const Source& source) {
    const PgQuery__AExpr* expression = operator_expression(node);
    if (expression == nullptr || expression->n_name == 0 || expression->n_name > 2) {
        return Refusal::no_distance_order;
    }
    const Nodes name(expression->name, expression->n_name);
    const std::string_view symbol = name_of(name.back());
    std::optional<VectorColumn> column = read_vector_column(expression->lexpr, source);
    const PgQuery__Node* other = expression->rexpr;
    if (!column) {
        column = read_vector_column(expression->rexpr, source);
        other = expression->lexpr;
    }
    if (!is_distance_operator(symbol) || !column) {
        const bool derived =
            is_distance_operator(symbol) &&
            (is_derived_vector(expression->lexpr) || is_derived_vector(expression->rexpr));
        return derived ? Refusal::derived_vector : Refusal::no_distance_order;
    }
    std::optional<VectorExpression> vector = read_vector(other, source);
    if (!vector) {
        return Refusal::query_vector;
    }
    Distance distance{std::move(*column), std::string(symbol), std::nullopt, std::move(*vector)};
    if (name.size() == 2) {
        distance.operator_schema = name_of(name.front());
    }
    return distance;
}

const PgQuery__Node* subtracted_from_one(const PgQuery__Node* node) {
    const PgQuery__AExpr* expression = operator_expression(node);
    const bool minus = expression != nullptr && expression->n_name == 1 &&
                       name_of(expression->name[0]) == "-" && integer_of(expression->lexpr) == 1;
    return minus ? expression->rexpr : nullptr;
}

std::optional<Argument> read_argument(const PgQuery__Node* node) {
    const std::optional<std::int32_t> number = parameter_of(node);
    if (!number || *number < 1) {
        return std::nullopt;
    }
    const auto unsigned_number = static_cast<std::uint32_t>(*number);
    if (unsigned_number >= NormalisedStatement::first_literal) {
        return Argument{
            Argument::Source::literal, unsigned_number - NormalisedStatement::first_literal};
    }
    return Argument{Argument::Source::parameter, unsigned_number - 1};
}

}  // namespace veer::parser
