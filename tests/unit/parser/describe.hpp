#pragma once

#include "parser/recognise.hpp"

#include <string>
#include <string_view>

namespace veer::parser {

/// A recognition on one line, for tables of expectations; a refusal is its code.
///
///     items i.e <=> $1::vector(3) limit $2 offset 5 where !: *, id, e as x, dist d $1, sim s '0,
///     expr ?column?
///
/// "where" says that there is a condition, "!" that it or an output may fail, "falling" that it is
/// ordered by a number computed from the distance, "then" that further keys follow.
/// 'n is the n-th literal of the normalised text, [n] one that is an array.
inline std::string describe(const Argument& argument) {
    if (argument.source == Argument::Source::constant) {
        return "b";
    }
    const bool parameter = argument.source == Argument::Source::parameter;
    return parameter ? '$' + std::to_string(argument.index + 1)
                     : '\'' + std::to_string(argument.index);
}

inline std::string describe(const VectorExpression& vector) {
    if (vector.stored) {
        return '(' + vector.stored->table + '.' + vector.stored->column + ')';
    }
    std::string text = describe(vector.argument) + vector.constant;
    const std::string schema = vector.type_schema ? *vector.type_schema + '.' : std::string();
    if (vector.form == VectorExpression::Form::array) {
        text = '[' + text + ']';
    }
    if (vector.form != VectorExpression::Form::untyped) {
        text += "::" + schema + vector.type_name;
    }
    return vector.typmod ? text + '(' + std::to_string(*vector.typmod) + ')' : text;
}

inline std::string describe(const Count& count) {
    if (const auto* number = std::get_if<std::int64_t>(&count.value)) {
        return std::to_string(*number);
    }
    const auto* argument = std::get_if<Argument>(&count.value);
    return argument == nullptr ? "-" : describe(*argument);
}

inline std::string describe(const OutputColumn& output) {
    switch (output.kind) {
        case OutputColumn::Kind::star:
            return "*";
        case OutputColumn::Kind::column:
            return output.column + (output.label == output.column ? "" : " as " + output.label);
        case OutputColumn::Kind::distance:
            return "dist " + output.label + ' ' + describe(output.vector);
        case OutputColumn::Kind::similarity:
            return "sim " + output.label + ' ' + describe(output.vector);
        case OutputColumn::Kind::expression:
            return "expr " + output.label;
    }
    return "?";
}

inline std::string describe(const Recognition& recognition) {
    if (const auto* refusal = std::get_if<Refusal>(&recognition)) {
        return std::string(to_string(*refusal));
    }
    const auto& query = std::get<NearestNeighbourQuery>(recognition);
    std::string text = query.schema ? *query.schema + '.' : std::string();
    text += query.table + (query.reference == query.table ? "" : ' ' + query.reference);
    text += '.' + query.column + ' ';
    text += (query.operator_schema ? *query.operator_schema + '.' : std::string());
    text += query.operator_name + ' ' + describe(query.vector);
    if (query.several) {
        for (const VectorExpression& other : query.several->others) {
            text += ", " + describe(other);
        }
        text += " of " + query.several->table + '.' + query.several->column;
    }
    text += " limit " + describe(query.limit);
    text += query.offset == Count{} ? std::string() : " offset " + describe(query.offset);
    text += query.order_label ? " by " + *query.order_label : std::string();
    if (query.reranked) {
        text += " of " + describe(query.reranked->limit) + " by bits " +
                std::to_string(query.reranked->bits) + ' ' + describe(query.reranked->vector);
    }
    text += query.by_similarity ? " falling" : "";
    text += query.tie_breakers ? " then" : "";
    for (const JoinedTable& joined : query.joined) {
        text += (query.inner_join ? " join " : " left join ") + joined.table;
    }
    text += query.clauses.condition ? " where" : "";
    text += query.may_raise ? " !" : "";
    text += query.wrapped ? " inside" : "";
    std::string separator = ": ";
    for (const OutputColumn& output : query.outputs) {
        text += separator + describe(output);
        separator = ", ";
    }
    return text;
}

/// What becomes of a statement as a client sends it.
inline std::string describe_sql(std::string_view sql) {
    return describe(recognise(normalise(sql).text));
}

}  // namespace veer::parser
