#pragma once

#include "parser/function_body.hpp"
#include "parser/function_call.hpp"
#include "parser/statement.hpp"
#include "router/reason.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::router {

struct Statement;

/// An SQL function that returns the rows of a search, as its body and its catalogue entry are:
///
///     SELECT * FROM match($1, 5) WHERE score > 1
///     SELECT * FROM (SELECT id, 1 - (e <=> ($1::"public"."vector")) AS s FROM docs ORDER BY ...
///     ) AS "match"("id", "score") WHERE score > 1
///
/// PostgreSQL does the same with a STABLE one (inline_set_returning_function()); what it cannot do
/// so, for a function that has settings, rights or a snapshot of its own, is not done here.
///
/// 1. `oid` and `version` name one committed state of it, but for the columns of a row type, which
///    are `row_columns`: whoever has this much of it (function_condition() asserts it, in the
///    session that calls it) has the rest.
/// 2. `refused` is set where its calls are Postgres' to answer; then there is no body.
struct Function {
    struct Parameter {
        std::string name;  ///< empty where it has none
        std::uint32_t type_oid = 0;
        std::string type_schema;
        std::string type;
        std::optional<std::string> fallback;  ///< its DEFAULT, as SQL
    };

    struct Output {
        std::string name;
        std::uint32_t type_oid = 0;
        std::int32_t typmod = -1;
        std::uint32_t collation = 0;  ///< what comes out is ordered and compared by it
    };

    std::uint32_t oid = 0;
    std::string version;  ///< xmin of its row of pg_proc
    std::vector<Parameter> parameters;
    std::vector<Output> outputs;
    std::uint32_t row_type = 0;  ///< pg_type.oid of a table's rows, where it returns these
    std::string row_columns;     ///< of `row_type`, as function_query() gave them
    parser::FunctionBody body;
    std::optional<Reason> refused;

    /// Whether both are one committed state (1).
    bool same_state(const Function& other) const {
        return oid == other.oid && version == other.version && row_columns == other.row_columns;
    }
};

/// Asks for the one function that the call can mean, whatever its arguments are. No row where there
/// is none, or several, or a type of this name, or where the transaction has written.
std::string function_query(const parser::FunctionCall& call);

/// Decodes its row; nothing where it is not as expected.
std::optional<Function> decode_function(
    const parser::FunctionCall& call, const std::vector<std::optional<std::string_view>>& row
);

/// The statement with the body in the call's place. A Reason where PostgreSQL might not make the
/// same values of the arguments, or find another function for them.
std::variant<std::string, Reason> inlined(
    const Statement& statement,
    const parser::FunctionCall& call,
    const Function& function,
    std::span<const std::uint32_t> parameter_types
);

/// To be added to a route's facts_query: that the call still means this function, that the role may
/// execute it, that no column takes the place of a parameter, and that what the body's search gives
/// is of the types, and in the collations, that the function says. Nothing where that cannot be
/// said of these outputs.
std::optional<std::string> function_condition(
    const parser::FunctionCall& call,
    const Function& function,
    const parser::NearestNeighbourQuery& query
);

}  // namespace veer::router
