#include "parser/expression.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
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

}  // namespace

std::optional<VectorExpression> read_vector(const PgQuery__Node* node) {
    if (const std::optional<Argument> argument = read_argument(node)) {
        return VectorExpression{
            *argument, VectorExpression::Form::untyped, std::nullopt, std::nullopt};
    }
    if (std::optional<VectorExpression> bits = read_bits(node)) {
        return bits;
    }
    const PgQuery__TypeCast* cast = cast_of(node);
    const std::optional<TypeSpelling> type =
        cast == nullptr ? std::nullopt : read_type(cast->type_name);
    const VectorType* const target = type ? vector_type(*type) : nullptr;
    if (target == nullptr || type->typmods.size() > 1) {
        return std::nullopt;
    }
    std::optional<VectorExpression> vector = read_cast_operand(cast->arg);
    const bool other_type = vector && !vector->constant.empty() && target->name != "bit";
    if (!vector || other_type) {
        return std::nullopt;
    }
    vector->type_name = target->name;
    vector->type_schema = type->schema;
    if (!type->typmods.empty()) {
        const std::optional<std::int64_t> dimensions = integer_of(type->typmods[0]);
        if (!dimensions || *dimensions < 1 || *dimensions > target->dimensions_max) {
            return std::nullopt;  // Postgres has an error for this one
        }
        vector->typmod = static_cast<std::int32_t>(*dimensions);
    }
    return vector;
}

std::optional<Count> read_count(const PgQuery__Node* node) {
    if (node == nullptr || is_null(node)) {
        return Count{};
    }
    if (const PgQuery__TypeCast* cast = cast_of(node)) {
        const std::optional<TypeSpelling> type = read_type(cast->type_name);
        const bool whole =
            type && !type->is_array && type->typmods.empty() && is_any_builtin(*type, count_types);
        const std::optional<Argument> argument = read_argument(cast->arg);
        return whole && argument ? std::optional(Count{*argument, type->is_builtin("int4")})
                                 : std::nullopt;
    }
    if (const std::optional<Argument> argument = read_argument(node)) {
        return Count{*argument};
    }
    const std::optional<std::int64_t> number = integer_of(node);
    return number && *number >= 0 ? std::optional(Count{*number}) : std::nullopt;
}

}  // namespace veer::parser
