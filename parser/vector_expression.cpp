#include "parser/expression.hpp"
#include "parser/stored_vector.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace veer::parser {
namespace {

/// A type of vectors, and the largest n that its type(n) allows.
struct VectorType {
    std::string_view name;
    std::int64_t dimensions_max;
};

constexpr std::array<VectorType, 4> vector_types{
    {{"vector", 16'000}, {"halfvec", 16'000}, {"sparsevec", 1'000'000'000}, {"bit", 83'886'080}}};
constexpr std::array<std::string_view, 2> array_elements{"float4", "float8"};
constexpr std::array<std::string_view, 2> count_types{"int4", "int8"};

/// A type as the text names it. SQL's own names (real, integer) come as pg_catalog.float4, int4.
struct TypeSpelling {
    std::optional<std::string> schema;
    std::string_view name;
    bool is_array = false;
    std::span<PgQuery__Node* const> typmods;

    bool is_builtin(std::string_view wanted) const {
        return name == wanted && (!schema || schema == "pg_catalog");
    }
};

std::optional<TypeSpelling> read_type(const PgQuery__TypeName* type) {
    if (type == nullptr || type->setof != 0 || type->pct_type != 0 || type->n_names == 0 ||
        type->n_names > 2 || type->n_array_bounds > 1) {
        return std::nullopt;
    }
    TypeSpelling spelling{
        .schema = std::nullopt,
        .name = name_of(type->names[type->n_names - 1]),
        .is_array = type->n_array_bounds == 1,
        .typmods = {type->typmods, type->n_typmods}};
    if (type->n_names == 2) {
        spelling.schema = name_of(type->names[0]);
    }
    return spelling;
}

const PgQuery__TypeCast* cast_of(const PgQuery__Node* node) {
    const bool matches = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST;
    return matches ? node->type_cast : nullptr;
}

bool is_any_builtin(const TypeSpelling& type, std::span<const std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [&type](std::string_view name) {
        return type.is_builtin(name);
    });
}

/// The $n of ARRAY[$n], which is how an array of numbers looks once it is cut; a client's parameter
/// in that place is one element, and not ours to evaluate.
std::optional<Argument> read_cut_array(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_A_ARRAY_EXPR ||
        node->a_array_expr->n_elements != 1) {
        return std::nullopt;
    }
    const std::optional<Argument> argument = read_argument(node->a_array_expr->elements[0]);
    const bool cut = argument && argument->source == Argument::Source::literal;
    return cut ? argument : std::nullopt;
}

/// Reads B'0101', which is of type bit without a cast.
std::optional<VectorExpression> read_bits(const PgQuery__Node* node) {
    const std::optional<std::string_view> bits = bits_of(node);
    if (!bits) {
        return std::nullopt;
    }
    VectorExpression vector{{Argument::Source::constant, 0}, VectorExpression::Form::vector};
    vector.type_name = "bit";
    vector.constant = *bits;
    return vector;
}

/// What stands under ::vector.
std::optional<VectorExpression> read_cast_operand(const PgQuery__Node* node) {
    using Form = VectorExpression::Form;
    if (const std::optional<Argument> argument = read_argument(node)) {
        return VectorExpression{*argument, Form::vector, std::nullopt, std::nullopt};
    }
    if (const std::optional<Argument> numbers = read_cut_array(node)) {
        return VectorExpression{*numbers, Form::array, std::nullopt, std::nullopt};
    }
    if (std::optional<VectorExpression> bits = read_bits(node)) {
        return bits;
    }
    const PgQuery__TypeCast* cast = cast_of(node);
    const std::optional<TypeSpelling> type =
        cast == nullptr ? std::nullopt : read_type(cast->type_name);
    if (!type || !type->typmods.empty()) {
        return std::nullopt;
    }
    const std::optional<Argument> argument = read_argument(cast->arg);
    if (type->is_builtin("text") && !type->is_array && argument) {
        return VectorExpression{*argument, Form::vector, std::nullopt, std::nullopt};
    }
    const std::optional<Argument> numbers = argument ? argument : read_cut_array(cast->arg);
    if (type->is_array && is_any_builtin(*type, array_elements) && numbers) {
        return VectorExpression{*numbers, Form::array, std::nullopt, std::nullopt};
    }
    return std::nullopt;
}

/// The n of type(n) where it is allowed; false where Postgres has an error for it.
bool read_dimensions(
    const TypeSpelling& type, std::int64_t dimensions_max, std::optional<std::int32_t>& typmod
) {
    if (type.typmods.empty()) {
        return true;
    }
    const std::optional<std::int64_t> dimensions =
        type.typmods.size() == 1 ? integer_of(type.typmods[0]) : std::nullopt;
    if (!dimensions || *dimensions < 1 || *dimensions > dimensions_max) {
        return false;
    }
    typmod = static_cast<std::int32_t>(*dimensions);
    return true;
}

/// Reads col::halfvec(n) of a type that has been read.
std::optional<LegacyColumn> read_halves(
    const PgQuery__Node* operand, const TypeSpelling& type, const Source& source
) {
    LegacyColumn read{{}, {.to_half = true}};
    std::optional<std::string> column = read_column(operand, source);
    if (!column || type.is_array || type.typmods.empty() ||
        !read_dimensions(type, vector_types[1].dimensions_max, read.cast.typmod)) {
        return std::nullopt;
    }
    read.column = *std::move(column);
    read.cast.type_schema = type.schema;
    return read;
}

/// Reads col or a cast of it to vector, or to halves.
std::optional<LegacyColumn> read_cast_column(const PgQuery__Node* node, const Source& source) {
    if (std::optional<std::string> column = read_column(node, source)) {
        return LegacyColumn{*std::move(column), {}};
    }
    const PgQuery__TypeCast* cast = cast_of(node);
    const std::optional<TypeSpelling> type =
        cast == nullptr ? std::nullopt : read_type(cast->type_name);
    if (type && type->name == vector_types[1].name) {
        return read_halves(cast->arg, *type, source);
    }
    LegacyColumn read{{}, {.to_vector = true}};
    if (!type || type->name != "vector" || type->is_array ||
        !read_dimensions(*type, vector_types.front().dimensions_max, read.cast.typmod)) {
        return std::nullopt;
    }
    read.cast.type_schema = type->schema;
    const PgQuery__Node* operand = cast->arg;
    if (const PgQuery__TypeCast* inner = cast_of(operand)) {
        const std::optional<TypeSpelling> text = read_type(inner->type_name);
        if (!text || !text->is_builtin("text") || text->is_array || !text->typmods.empty()) {
            return std::nullopt;
        }
        read.cast.through_text = true;
        operand = inner->arg;
    }
    std::optional<std::string> column = read_column(operand, source);
    if (!column) {
        return std::nullopt;
    }
    read.column = *std::move(column);
    return read;
}

/// Null where it is none. SQL's own bit comes as pg_catalog.bit; the others are an extension's.
const VectorType* vector_type(const TypeSpelling& type) {
    const auto* const found =
        std::find_if(vector_types.begin(), vector_types.end(), [&type](const VectorType& each) {
            return each.name == type.name;
        });
    const bool known = found != vector_types.end() && !type.is_array &&
                       (found->name == "bit") == (type.schema == "pg_catalog");
    return known ? found : nullptr;
}

/// A constant, or an argument whose cast is not looked into; not NULL, and not one out of range.
bool fits(const Count& count, bool is_int4) {
    const auto* const number = std::get_if<std::int64_t>(&count.value);
    return std::holds_alternative<Argument>(count.value) ||
           (number != nullptr && (!is_int4 || *number <= std::numeric_limits<std::int32_t>::max()));
}

/// Reads least(count, 200), either way round.
std::optional<Count> read_least(const PgQuery__MinMaxExpr& least) {
    if (least.op != PG_QUERY__MIN_MAX_OP__IS_LEAST || least.n_args != 2) {
        return std::nullopt;
    }
    const bool first = integer_of(least.args[0]).has_value();
    const std::optional<std::int64_t> bound = integer_of(least.args[first ? 0 : 1]);
    std::optional<Count> count = read_count(least.args[first ? 1 : 0]);
    if (!bound || *bound < 0 || !count || count->at_most ||
        std::holds_alternative<std::monostate>(count->value)) {
        return std::nullopt;
    }
    count->at_most = bound;
    // What has no type of its own takes the other's: least('3000000000', 3) is an error.
    count->as_int4 = count->as_int4 || (cast_of(least.args[first ? 1 : 0]) == nullptr &&
                                        *bound <= std::numeric_limits<std::int32_t>::max());
    return count;
}

/// Reads coalesce($1, 10). That a parameter is NULL is nothing to know here: then the count has no
/// value, and Postgres answers.
std::optional<Count> read_coalesced(const PgQuery__CoalesceExpr& coalesce) {
    if (coalesce.n_args != 2) {
        return std::nullopt;
    }
    const std::optional<std::int64_t> otherwise = integer_of(coalesce.args[1]);
    std::optional<Count> count = read_count(coalesce.args[0]);
    if (!otherwise || !count || !std::holds_alternative<Argument>(count->value)) {
        return std::nullopt;
    }
    // As with least().
    count->as_int4 = count->as_int4 || (cast_of(coalesce.args[0]) == nullptr &&
                                        *otherwise <= std::numeric_limits<std::int32_t>::max());
    return count;
}

}  // namespace

std::optional<VectorExpression> read_vector(const PgQuery__Node* node) {
    if (const std::optional<Argument> argument = read_argument(node)) {
        return VectorExpression{
            *argument, VectorExpression::Form::untyped, std::nullopt, std::nullopt};
    }
    if (std::optional<VectorExpression> bits = read_bits(node)) {
        return bits;
    }
    if (std::optional<StoredVector> stored = read_stored_vector(node)) {
        VectorExpression vector{{Argument::Source::constant, 0}};
        vector.stored = std::move(stored);
        return vector;
    }
    const PgQuery__TypeCast* cast = cast_of(node);
    const std::optional<TypeSpelling> type =
        cast == nullptr ? std::nullopt : read_type(cast->type_name);
    const VectorType* const target = type ? vector_type(*type) : nullptr;
    if (target == nullptr) {
        return std::nullopt;
    }
    std::optional<VectorExpression> vector = read_cast_operand(cast->arg);
    const bool other_type = vector && !vector->constant.empty() && target->name != "bit";
    if (!vector || other_type) {
        return std::nullopt;
    }
    vector->type_name = target->name;
    vector->type_schema = type->schema;
    return read_dimensions(*type, target->dimensions_max, vector->typmod) ? vector : std::nullopt;
}

std::optional<VectorColumn> read_vector_column(const PgQuery__Node* node, const Source& source) {
    const bool coalesces = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_COALESCE_EXPR;
    if (!coalesces) {
        std::optional<LegacyColumn> only = read_cast_column(node, source);
        return only ? std::optional(VectorColumn{std::move(only->column), std::move(only->cast)})
                    : std::nullopt;
    }
    const std::span args(node->coalesce_expr->args, node->coalesce_expr->n_args);
    if (args.size() != 2) {
        return std::nullopt;
    }
    std::optional<LegacyColumn> first = read_cast_column(args[0], source);
    std::optional<LegacyColumn> second = read_cast_column(args[1], source);
    if (!first || !second || first->cast.to_half || second->cast.to_half) {
        return std::nullopt;
    }
    return VectorColumn{std::move(first->column), std::move(first->cast), std::move(second)};
}

std::optional<Count> read_count(const PgQuery__Node* node) {
    if (node == nullptr || is_null(node)) {
        return Count{};
    }
    if (const PgQuery__TypeCast* cast = cast_of(node)) {
        const std::optional<TypeSpelling> type = read_type(cast->type_name);
        const bool whole =
            type && !type->is_array && type->typmods.empty() && is_any_builtin(*type, count_types);
        const std::optional<Count> inner = whole ? read_count(cast->arg) : std::nullopt;
        const bool is_int4 = whole && type->is_builtin("int4");
        return inner && !inner->at_most && !inner->as_int4 && fits(*inner, is_int4)
                   ? std::optional(Count{inner->value, is_int4})
                   : std::nullopt;
    }
    if (node->node_case == PG_QUERY__NODE__NODE_MIN_MAX_EXPR) {
        return read_least(*node->min_max_expr);
    }
    if (node->node_case == PG_QUERY__NODE__NODE_COALESCE_EXPR) {
        return read_coalesced(*node->coalesce_expr);
    }
    if (const std::optional<Argument> argument = read_argument(node)) {
        return Count{*argument};
    }
    const std::optional<std::int64_t> number = integer_of(node);
    return number && *number >= 0 ? std::optional(Count{*number}) : std::nullopt;
}

}  // namespace veer::parser
