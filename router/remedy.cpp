#include "router/remedy.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace veer::router {

namespace {

using Remedy = std::pair<Reason, std::string_view>;

constexpr Remedy remedies[] = {
    // Somebody has said so, and may say otherwise.
    {reason::panic, "UNPANIC on the console, or veer unpanic."},
    {reason::percent, "PROMOTE the route, once its gates are open: SHOW GATES."},
    {reason::session_route, "RESET veer.route in the session, or where ALTER ROLE sets it."},
    {reason::hint, "Take the comment out of the statement."},
    {reason::rule, "SHOW RULES says which; change it in veer.toml, and RELOAD."},
    {reason::off, "OBSERVE or SHADOW the route."},
    {reason::exact_requested, "SET enable_indexscan = on in the session."},
    {reason::tripped, "SHOW GUARDS and SHOW AUDIT say why; then ACKNOWLEDGE, and PROMOTE."},
    {reason::quarantined, "SHOW MISMATCHES says what was wrong; then ACKNOWLEDGE the route."},
    {reason::state_file, "Bring cutover.state back or move it away, as the log says; then SIGHUP."},
    {reason::lag, "SHOW REPLICATION says how far it is behind."},
    {reason::not_live, "SHOW COPIES says how long it takes, or what is missing."},
    {reason::behind, "A longer freshness_wait, or freshness = \"bounded 500ms\" of the [[route]]."},
    {reason::engine, "Look at the server of the route's engine, and at veer's log."},
    {reason::engine_busy, "A smaller share: the other server is asked eight things at a time."},
    {reason::unparsable,
     "SHOW veer.routes has an example; mend the rows, or unparsable = \"skip\"."},
    {reason::half_migrated, "Fill the new column, or search coalesce(new, legacy::vector)."},
    // The statement or the session could be another.
    {reason::no_route, "CREATE INDEX with pgvector, or a [[route]] for the column and operator."},
    {reason::hidden_name, "Another search_path, or names with their schema."},
    {reason::transaction_wrote, "Search before the first write, or in a transaction of its own."},
    {reason::isolation, "READ COMMITTED for searches."},
    {reason::idle_timeout, "A timeout for idle sessions of 5 s or more."},
    {reason::not_permitted, "GRANT SELECT on the table's key and vector to the role."},
    {reason::encoding, "client_encoding UTF8 and standard_conforming_strings on."},
    {reason::vector_type, "Cast the query vector to the column's type, or not at all."},
    {reason::no_half_index, "CREATE INDEX on the expression, of all rows."},
    {reason::partial_index, "WHERE as the index has it, or a [[route]] for the whole column."},
    {reason::dimensions, "The model that made the column's vectors made no such vector."},
    {reason::may_raise, "Search outside of a transaction."},
    {reason::limit_too_large, "A smaller LIMIT and OFFSET, or a larger [limits] k_max."},
    {reason::row_limit, "Let Execute ask for all rows (fetch size 0), or for as many as LIMIT."},
    {reason::named_portal, "No cursor: LIMIT bounds the rows already."},
    {reason::parameter_types, "Let Postgres infer the parameters' types, or declare the column's."},
    {reason::pipelined, "Send searches in a batch of their own."},
    {reason::selective, "Name the columns of WHERE in columns of the [[route]], or index them."},
    {reason::unplaced_rows, "WHERE embedding IS NOT NULL, or ORDER BY the distance."},
    {reason::function_language, "Write the function in LANGUAGE sql."},
    {reason::function_form, "Without SECURITY DEFINER, STRICT and SET."},
    {reason::function_arguments, "Call it with constants or parameters."},
    {reason::function_unknown, "Name it in functions of the [[route]], one function of a name."},
    {"multiple_statements", "Send the search as a statement of its own."},
    {"descending", "ORDER BY the distance, or order_by_similarity of the [[route]]."},
    {"order_keys", "ORDER BY the distance alone, or tie_breakers of the [[route]]."},
    {"no_limit", "Add LIMIT: without an order of all rows there is nothing to be had of an index."},
    {"query_vector", "Give the vector as a constant or a parameter."},
    {"limit_form", "Give LIMIT and OFFSET as constants or parameters."},
    {"locking", "Search first, and lock by key."},
    {"grouping", "Group what the search returns, in a statement around it."},
};

}  // namespace

std::string_view remedy(Reason why) {
    const auto* const found =
        std::find_if(std::begin(remedies), std::end(remedies), [why](const Remedy& each) {
            return each.first == why;
        });
    return found == std::end(remedies) ? std::string_view() : found->second;
}

}  // namespace veer::router
