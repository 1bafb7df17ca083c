#include "parser/statement.hpp"

namespace veer::parser {

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::parse_error:
            return "parse_error";
        case Refusal::too_long:
            return "too_long";
        case Refusal::multiple_statements:
            return "multiple_statements";
        case Refusal::not_select:
            return "not_select";
        case Refusal::no_distance_order:
            return "no_distance_order";
        case Refusal::derived_vector:
            return "derived_vector";
        case Refusal::descending:
            return "descending";
        case Refusal::order_keys:
            return "order_keys";
        case Refusal::no_limit:
            return "no_limit";
        case Refusal::function:
            return "function";
        case Refusal::subquery:
            return "subquery";
        case Refusal::expression:
            return "expression";
        case Refusal::join:
            return "join";
        case Refusal::grouping:
            return "grouping";
        case Refusal::set_operation:
            return "set_operation";
        case Refusal::with_clause:
            return "with_clause";
        case Refusal::locking:
            return "locking";
        case Refusal::projection:
            return "projection";
        case Refusal::query_vector:
            return "query_vector";
        case Refusal::limit_form:
            return "limit_form";
    }
    return "unknown";
}

}  // namespace veer::parser
