#include "router/expression_index.hpp"

#include "router/rewrite.hpp"

#include <optional>
#include <string_view>

namespace veer::router {

namespace {

/// The only expression of an index i.
constexpr std::string_view expression = "pg_catalog.pg_get_expr(i.indexprs, i.indrelid)";

/// That a name means this object: its schema s is the one that the text says, or it is found.
std::string named(const std::optional<std::string>& schema, std::string_view visible) {
    return schema ? "s.nspname OPERATOR(pg_catalog.=) " + escaped_literal(*schema)
                  : std::string(visible);
}

/// That the route's table c has a valid index i, of all rows and one expression, whose type is y(n)
/// and whose operator family has the operator o between two of these, of schema s.
std::string has_index(std::string_view type, std::int32_t n, std::string_view operator_name) {
    return " AND EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a"
           " ON a.attrelid OPERATOR(pg_catalog.=) i.indexrelid JOIN pg_catalog.pg_type y"
           " ON y.oid OPERATOR(pg_catalog.=) a.atttypid JOIN pg_catalog.pg_operator o"
           " ON o.oprleft OPERATOR(pg_catalog.=) y.oid"
           " AND o.oprright OPERATOR(pg_catalog.=) y.oid JOIN pg_catalog.pg_namespace s"
           " ON s.oid OPERATOR(pg_catalog.=) o.oprnamespace JOIN pg_catalog.pg_opclass k"
           " ON k.oid OPERATOR(pg_catalog.=) i.indclass[0] JOIN pg_catalog.pg_amop m"
           " ON m.amopfamily OPERATOR(pg_catalog.=) k.opcfamily"
           " AND m.amopopr OPERATOR(pg_catalog.=) o.oid"
           " WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND i.indisvalid AND i.indpred IS NULL"
           " AND i.indnatts OPERATOR(pg_catalog.=) 1 AND i.indkey[0] OPERATOR(pg_catalog.=) 0"
           " AND y.typname OPERATOR(pg_catalog.=) '" +
           std::string(type) + "' AND a.atttypmod OPERATOR(pg_catalog.=) " + std::to_string(n) +
           " AND o.oprname OPERATOR(pg_catalog.=) " + escaped_literal(operator_name) + " AND ";
}

constexpr std::string_view operator_found = "pg_catalog.pg_operator_is_visible(o.oid)";

std::string of_halves(const parser::NearestNeighbourQuery& query) {
    constexpr std::string_view type_found = "pg_catalog.pg_type_is_visible(y.oid)";
    const std::string end = "halfvec(" + std::to_string(*query.cast.typmod) + ')';
    const bool typed = query.vector.form != parser::VectorExpression::Form::untyped;
    return has_index("halfvec", *query.cast.typmod, query.operator_name) +
           "y.typnamespace OPERATOR(pg_catalog.=) s.oid AND " +
           named(query.operator_schema, operator_found) + " AND " +
           named(query.cast.type_schema, type_found) +
           (typed ? " AND " + named(query.vector.type_schema, type_found) : std::string()) +
           " AND pg_catalog.starts_with(" + std::string(expression) +
           ", pg_catalog.concat('(', pg_catalog.quote_ident(" + escaped_literal(query.column) +
           "), ')::')) AND pg_catalog.right(" + std::string(expression) + ", " +
           std::to_string(end.size()) + ") OPERATOR(pg_catalog.=) '" + end + "')";
}

/// A function's name is written without its schema only where that finds it.
std::string of_signs(const parser::NearestNeighbourQuery& query) {
    const std::int32_t bits = query.reranked->bits;
    return has_index("bit", bits, "<~>") + named(query.reranked->operator_schema, operator_found) +
           " AND " + std::string(expression) +
           " OPERATOR(pg_catalog.=) pg_catalog.concat('(binary_quantize(', "
           "pg_catalog.quote_ident(" +
           escaped_literal(query.column) + "), '))::bit(" + std::to_string(bits) + ")'))";
}

}  // namespace

std::string expression_condition(const parser::NearestNeighbourQuery& query) {
    if (query.reranked) {
        return of_signs(query);
    }
    return query.cast.to_half ? of_halves(query) : std::string();
}

}  // namespace veer::router
