#pragma once

#include "parser/table_function.hpp"
#include "router/complaint.hpp"
#include "router/route.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

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
/// A route is named as SHOW veer.routes has it, as schema.table.column, table.column or table,
/// where that means but one, or as a statement has declared it (management.hpp). A name without a
/// schema is looked for in `path`, the session's search_path, first; that of an index only there.
/// `ef` and the share are said by a comment in the text (hint.hpp); those that the client has put
/// into what is replaced stay. `utf8`: client_encoding is UTF8.
std::variant<std::string, Complaint> search_text(
    const Statement& statement,
    const parser::TableFunction& function,
    const RouteTable& routes,
    bool utf8,
    const std::vector<std::string>& path
);

/// Asks which of veer's own names Postgres has, too: these are Postgres' then; and where the
/// session looks for names.
std::string_view taken_names_query();

/// Its two fields, or what they may be at worst.
struct TakenNames {
    bool veer_search = true;
    bool ruvector_search = true;
    std::vector<std::string> path = {};  ///< schemas, those that Postgres adds among them
};

TakenNames decode_taken_names(std::string_view field, std::string_view path);

/// Whether Postgres may have what the statement calls.
bool is_taken(const TakenNames& names, const parser::TableFunction& function);

}  // namespace veer::router
