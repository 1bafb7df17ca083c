#include "router/search.hpp"

#include "router/partial_index.hpp"
#include "router/route.hpp"
#include "router/vector_value.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace veer::router {

namespace {

using parser::Argument;
using parser::VectorExpression;
using storage::Vector;
using storage::VectorKind;

constexpr std::uint32_t float4_array_oid = 1021;
constexpr std::uint32_t float8_array_oid = 1022;
constexpr std::size_t vectors_max = 32;  // of one statement

bool float_array(std::uint32_t type) {
    return type == float4_array_oid || type == float8_array_oid;
}

/// Where the client does not declare it, the text does: as one or the other.
ArrayElement element_of(std::uint32_t declared) {
    return declared == float4_array_oid   ? ArrayElement::float4
           : declared == float8_array_oid ? ArrayElement::float8
                                          : ArrayElement::either;
}

bool text_type(std::uint32_t type) {
    constexpr std::uint32_t text_oid = 25;
    constexpr std::uint32_t varchar_oid = 1043;
    return type == text_oid || type == varchar_oid;
}

/// Does Postgres see a vector (or what casts to one) in a parameter so declared? Another declared
/// type may bring in another operator or another conversion.
bool type_fits(std::uint32_t declared, VectorExpression::Form form, std::uint32_t vector_oid) {
    switch (form) {
        case VectorExpression::Form::untyped:
            return is_inferred(declared) || declared == vector_oid;
        case VectorExpression::Form::vector:
            return is_inferred(declared) || declared == vector_oid || text_type(declared) ||
                   float_array(declared);
        case VectorExpression::Form::array:
            return is_inferred(declared) || float_array(declared);
    }
    return false;
}

std::optional<Vector> decode_parameter(
    const ParameterValue& value, VectorExpression::Form form, VectorKind kind
) {
    if (!value.bytes || (value.binary && text_type(value.declared_type))) {
        return std::nullopt;
    }
    if (form == VectorExpression::Form::array || float_array(value.declared_type)) {
        return value.binary
                   ? parse_array_binary(kind, *value.bytes, element_of(value.declared_type))
                   : parse_array_text(kind, *value.bytes);
    }
    if (value.binary) {
        return parse_vector_binary(kind, *value.bytes);
    }
    return parse_vector_text(kind, *value.bytes);
}

std::optional<Vector> decode_literal(
    const parser::Literal& literal, VectorExpression::Form form, VectorKind kind
) {
    if (literal.kind == parser::Literal::Kind::array) {
        return parse_array_items(kind, literal.text);
    }
    return form == VectorExpression::Form::array ? parse_array_text(kind, literal.text)
                                                 : parse_vector_text(kind, literal.text);
}

/// The type that query vectors have to be of.
struct VectorType {
    VectorKind kind = VectorKind::vector;
    std::uint32_t oid = 0;
    std::int32_t dimensions = 0;
};

std::variant<Vector, Reason> decode(
    const VectorExpression& expression, const Values& values, const VectorType& type
) {
    const bool untyped = expression.form == VectorExpression::Form::untyped;
    if (!untyped && expression.type_name != to_string(type.kind)) {
        return reason::vector_type;
    }
    const std::size_t index = expression.argument.index;
    std::optional<Vector> vector;
    if (expression.argument.source == Argument::Source::parameter) {
        if (index < values.parameters.size()) {
            const ParameterValue& value = values.parameters[index];
            if (!type_fits(value.declared_type, expression.form, type.oid)) {
                return reason::parameter_types;
            }
            vector = decode_parameter(value, expression.form, type.kind);
        }
    } else if (expression.argument.source == Argument::Source::constant) {
        vector = parse_vector_text(type.kind, expression.constant);
    } else if (index < values.literals.size()) {
        vector = decode_literal(values.literals[index], expression.form, type.kind);
    }
    if (!vector) {
        return reason::vector_value;
    }
    const auto dimensions = static_cast<std::int32_t>(dimensions_of(*vector));
    if (dimensions != type.dimensions || dimensions != expression.typmod.value_or(dimensions)) {
        return reason::dimensions;
    }
    return *std::move(vector);
}

/// The vectors of the rows behind the first. Of bits no equality is at hand that says whose turn it
/// is (restrict_each_to_keys()).
std::variant<std::vector<Vector>, Reason> decode_others(
    const parser::NearestNeighbourQuery& query,
    const Values& values,
    const storage::Column& column,
    const VectorType& type
) {
    if (query.several->others.size() >= vectors_max || type.kind == VectorKind::bit) {
        return reason::several_vectors;
    }
    std::vector<Vector> vectors;
    for (const VectorExpression& other : query.several->others) {
        auto decoded = decode(other, values, type);
        if (const auto* why = std::get_if<Reason>(&decoded)) {
            return *why;
        }
        vectors.push_back(std::get<Vector>(std::move(decoded)));
        if (const auto why = refuse_vector(query, column, vectors.back())) {
            return *why;
        }
    }
    return vectors;
}

/// The width of a binary integer of this declared type. An undeclared LIMIT or OFFSET is inferred
/// to be int8, or int4 where the text casts it so: another width is Postgres' to refuse.
bool width_fits(std::uint32_t declared, std::size_t width, bool as_int4) {
    constexpr std::uint32_t int8_oid = 20;
    constexpr std::uint32_t int2_oid = 21;
    constexpr std::uint32_t int4_oid = 23;
    switch (declared) {
        case int8_oid:
            return width == 8;
        case int4_oid:
            return width == 4;
        case int2_oid:
            return width == 2;
        default:
            return is_inferred(declared) && width == (as_int4 ? 4 : 8);
    }
}

bool is_integer(std::uint32_t declared) {
    return width_fits(declared, 8, false) || width_fits(declared, 4, false) ||
           width_fits(declared, 2, false);
}

std::optional<std::int64_t> decode_integer(std::string_view bytes, bool binary) {
    if (!binary) {
        std::int64_t value = 0;
        const char* const end = bytes.data() + bytes.size();
        const auto [stop, error] = std::from_chars(bytes.data(), end, value);
        return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
    }
    if (bytes.size() != 2 && bytes.size() != 4 && bytes.size() != 8) {
        return std::nullopt;
    }
    std::uint64_t bits = static_cast<std::int8_t>(bytes.front()) < 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) {
        bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
    }
    return static_cast<std::int64_t>(bits);
}

/// Nothing where the count is NULL, absent or no plain integer.
std::optional<std::int64_t> plain_count(const parser::Count& count, const Values& values) {
    if (const auto* constant = std::get_if<std::int64_t>(&count.value)) {
        return *constant;
    }
    const auto* argument = std::get_if<Argument>(&count.value);
    if (argument == nullptr) {
        return std::nullopt;
    }
    if (argument->source == Argument::Source::literal) {
        return argument->index < values.literals.size()
                   ? decode_integer(values.literals[argument->index].text, false)
                   : std::nullopt;
    }
    if (argument->index >= values.parameters.size() || !values.parameters[argument->index].bytes) {
        return std::nullopt;
    }
    const ParameterValue& value = values.parameters[argument->index];
    const bool understood =
        value.binary ? width_fits(value.declared_type, value.bytes->size(), count.as_int4)
                     : is_inferred(value.declared_type) || is_integer(value.declared_type);
    return understood ? decode_integer(*value.bytes, value.binary) : std::nullopt;
}

/// The same with the bound of least(count, 200). Nothing where Postgres has an error for an int4.
std::optional<std::int64_t> count_value(const parser::Count& count, const Values& values) {
    const auto value = plain_count(count, values);
    if (value && count.as_int4 && !std::in_range<std::int32_t>(*value)) {
        return std::nullopt;
    }
    return value ? std::optional(std::min(*value, count.at_most.value_or(*value))) : std::nullopt;
}

bool zero(const Vector& vector) {
    if (const auto* const sparse = std::get_if<storage::SparseVector>(&vector)) {
        return sparse->values.empty();
    }
    const auto* const floats = std::get_if<std::vector<float>>(&vector);
    return floats != nullptr &&
           std::all_of(floats->begin(), floats->end(), [](float x) { return x == 0; });
}

/// Whether all distances are to one vector; a Reason where a vector cannot be read.
std::variant<bool, Reason> outputs_agree(
    const parser::NearestNeighbourQuery& query,
    const Values& values,
    const Vector& vector,
    const VectorType& type
) {
    bool agree = true;
    const bool stored = query.vector.stored.has_value();
    for (const parser::OutputColumn& output : query.outputs) {
        const bool distance = output.kind == parser::OutputColumn::Kind::distance ||
                              output.kind == parser::OutputColumn::Kind::similarity;
        if (!distance || output.vector == query.vector) {
            continue;
        }
        if (stored || output.vector.stored) {
            agree = false;  // only Postgres knows both
            continue;
        }
        const auto other = decode(output.vector, values, type);
        if (const auto* why = std::get_if<Reason>(&other)) {
            return *why;
        }
        agree = agree && std::get<Vector>(other) == vector;
    }
    return agree;
}

/// Whether what the rows are ranked or chosen by besides is another vector.
std::optional<Reason> refuse_other_vectors(
    const parser::NearestNeighbourQuery& query,
    const Values& values,
    const Vector& vector,
    const VectorType& type
) {
    const auto differs = [&](const VectorExpression& expression) {
        if (expression == query.vector) {
            return false;
        }
        if (expression.stored || query.vector.stored || query.several) {
            return true;
        }
        const auto other = decode(expression, values, type);
        const auto* const same = std::get_if<Vector>(&other);
        return same == nullptr || *same != vector;
    };
    const bool differ = std::any_of(query.ranked.begin(), query.ranked.end(), differs) ||
                        (query.reranked && differs(query.reranked->vector));
    return differ ? std::optional(reason::vectors_differ) : std::nullopt;
}

std::optional<Reason> fill_in_counts(
    const parser::NearestNeighbourQuery& query,
    const Values& values,
    std::uint64_t wanted_max,
    Search& search
) {
    auto limit = count_value(query.limit, values);
    const bool has_offset = !std::holds_alternative<std::monostate>(query.offset.value);
    const auto offset = has_offset ? count_value(query.offset, values) : 0;
    if (limit && offset && query.reranked) {  // there are no more rows than have been chosen
        const auto chosen = count_value(query.reranked->limit, values);
        if (!chosen || *offset < 0 || *chosen <= *offset) {
            return reason::limit_value;
        }
        limit = std::min(*limit, *chosen - *offset);
        search.chosen = static_cast<std::uint64_t>(*chosen);
    }
    if (!limit || *limit < 1 || !offset || *offset < 0) {
        return reason::limit_value;
    }
    search.limit = static_cast<std::uint64_t>(*limit);
    search.offset = static_cast<std::uint64_t>(*offset);
    if (search.limit > wanted_max || search.offset > wanted_max ||
        search.wanted() * search.vectors() > wanted_max) {
        return reason::limit_too_large;
    }
    return std::nullopt;
}

}  // namespace

bool is_inferred(std::uint32_t declared_type) {
    constexpr std::uint32_t unknown_oid = 705;
    return declared_type == 0 || declared_type == unknown_oid;
}

std::optional<Reason> refuse_vector(
    const parser::NearestNeighbourQuery& query, const storage::Column& column, const Vector& vector
) {
    if (static_cast<std::int32_t>(dimensions_of(vector)) != column.dimensions()) {
        return reason::dimensions;
    }
    const bool undefined = query.operator_name == "<=>" && zero(vector);
    return undefined ? std::optional(reason::vector_value) : std::nullopt;
}

std::variant<Search, Reason> fill_in(
    const parser::NearestNeighbourQuery& query,
    const Values& values,
    const Route& route,
    std::uint64_t wanted_max
) {
    if (values.parameters.size() != query.parameters) {
        return reason::parameter_types;
    }
    const storage::Column& column = route.vector_column();
    // Of halves a query vector is one, too; no parameter's declared type is known to be that.
    const VectorType type = query.cast.to_half
                                ? VectorType{storage::VectorKind::halfvec, 0, column.dimensions()}
                                : VectorType{column.kind, route.vector_type(), column.dimensions()};
    Search search;
    if (!query.vector.stored) {
        auto decoded = decode(query.vector, values, type);
        if (const auto* why = std::get_if<Reason>(&decoded)) {
            return *why;
        }
        search.vector = std::get<Vector>(std::move(decoded));
        if (const auto why = refuse_vector(query, column, search.vector)) {
            return *why;
        }
    }
    if (query.several) {
        auto others = decode_others(query, values, column, type);
        if (const auto* why = std::get_if<Reason>(&others)) {
            return *why;
        }
        search.others = std::get<std::vector<Vector>>(std::move(others));
    }
    const auto agree = outputs_agree(query, values, search.vector, type);
    if (const auto* why = std::get_if<Reason>(&agree)) {
        return *why;
    }
    search.one_vector = std::get<bool>(agree);
    search.rows.whole = !query.clauses.condition.has_value();
    if (query.condition) {
        search.rows = row_filter(*query.condition, route.table(), values);
        if (route.column.ann.partial) {
            search.told = said_of_rows(*query.condition, route.table(), values);
        }
    }
    if (const auto why = refuse_other_vectors(query, values, search.vector, type)) {
        return *why;
    }
    if (const auto why = fill_in_counts(query, values, wanted_max, search)) {
        return *why;
    }
    return search;
}

}  // namespace veer::router
