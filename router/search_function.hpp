#pragma once

#include "parser/table_function.hpp"
#include "router/complaint.hpp"
#include "router/route.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace veer::router {

struct Statement;

/// veer.search(route, vector, k => 10, ef => NULL, filter => NULL): the k nearest rows of a route's
/// table, with their `distance`. It is the SELECT that says the same:
///
///     SELECT id, distance FROM veer.search('docs', $1, 5, filter => '{"tenant": 3}')
///     SELECT "id", "e" <=> $1 AS "distance" FROM "public"."docs" WHERE "docs"."tenant" = '3'
///     ORDER BY "e" <=> $1 LIMIT 5
///
/// and goes the way of any: rights, freshness, transactions, and Postgres where the index does not
/// answer, are none of its own. What is around the call stays around that SELECT.
///
/// A route is named as a statement has declared it (management.hpp), as SHOW veer.routes has it, as
/// schema.table.column, table.column or table, where that means but one. `ef` and the share are
/// said by a comment in the text (hint.hpp); those that the client has put into what is replaced
/// stay. `utf8`: client_encoding is UTF8.
std::variant<std::string, Complaint> search_text(
    const Statement& statement,
    const parser::TableFunction& function,
    const RouteTable& routes,
    bool utf8
);

/// Asks which of veer's own names Postgres has, too: these are Postgres' then.
std::string_view taken_names_query();

/// Its one field, or what it may be at worst.
struct TakenNames {
    bool veer_search = true;
    bool ruvector_search = true;
};

TakenNames decode_taken_names(std::string_view field);

/// Whether Postgres may have what the statement calls.
bool is_taken(const TakenNames& names, const parser::TableFunction& function);

}  // namespace veer::router
