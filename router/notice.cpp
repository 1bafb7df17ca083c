#include "router/notice.hpp"

#include "router/route.hpp"

#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>

namespace veer::router {

namespace {

using Explanation = std::pair<Reason, std::string_view>;

constexpr Explanation of_router[] = {
    {reason::local, "All that is asked for is in the copy."},
    {reason::rewrite, "veer finds the keys, PostgreSQL runs the statement restricted to them."},
    {reason::panic, "All traffic goes to PostgreSQL: panic."},
    {reason::percent, "It is outside the share of searches that the index answers."},
    {reason::session_route, "veer.route says so."},
    {reason::hint, "A comment of the statement says so."},
    {reason::rule, "A rule of the configuration says so."},
    {reason::off, "The route is off."},
    {reason::exact_requested, "enable_indexscan is off: the answer shall be exact."},
    {reason::tripped, "A guard took the route's traffic back."},
    {reason::lag, "The index is far behind."},
    {reason::state_file, "Where traffic goes could not be read."},
    {reason::quarantined, "Answers to statements of this shape were wrong."},
    {reason::not_live, "The copy of the table is not ready."},
    {reason::other_timeline, "The index follows another server than the session's."},
    {reason::behind, "The index did not catch up with the last write in time."},
    {reason::pipelined, "It is part of a batch that veer does not take apart."},
    {reason::facts, "The session's facts could not be had."},
    {reason::short_answer, "The index had fewer rows than were asked for."},
    {reason::search_late, "The search in the index took too long."},
    {reason::search_wide, "The search in the index is more work than visits_max."},
    {reason::search_busy, "Too many long searches wait for the index already."},
    {reason::engine, "The route's other server did not answer."},
    {reason::engine_busy, "The route's other server has no place for one more search."},
    {reason::rewrite_failed, "Restricted to keys, the statement failed."},
    {reason::unplaced_rows, "Rows of NULL or zero vectors come first in this order."},
    {reason::ties, "Too many rows are as far as the last one."},
    {reason::several_vectors,
     "It has more query vectors, or rows for them, than veer looks for at once, or several of "
     "bits."},
    {reason::selective, "Its conditions keep too few of the nearest rows."},
    {reason::canceled, "It was canceled."},
    {reason::no_route, "veer mirrors no index for this column and operator."},
    {reason::changed, "The table, or the statement, is not what it was."},
    {reason::hidden_name, "In this session's search_path a name means something else."},
    {reason::transaction_failed, "The transaction has failed."},
    {reason::transaction_wrote, "The transaction has written, or locked rows."},
    {reason::isolation, "The transaction is not READ COMMITTED."},
    {reason::row_security, "The table has row level security for this role."},
    {reason::idle_timeout, "A timeout for idle sessions is shorter than 5 s."},
    {reason::not_permitted, "The role may not SELECT the key and the vector."},
    {reason::encoding, "client_encoding is not UTF8, or strings do not conform to the standard."},
    {reason::vector_value, "The query vector is NULL, zero, or none that veer can read."},
    {reason::half_migrated, "PostgreSQL has a part in it, and looks at the new column alone."},
    {reason::unparsable, "Rows of the table hold no vector: SHOW veer.routes has an example."},
    {reason::vector_type, "The query vector is cast to another type than the column's."},
    {reason::no_half_index,
     "PostgreSQL has no index of all rows on this expression, or a name in it means something "
     "else."},
    {reason::no_bit_index,
     "PostgreSQL has no index of all rows on these signs, or a name means something else."},
    {reason::partial_index,
     "PostgreSQL's indexes hold a part of the rows, and WHERE does not say, in a way that veer can "
     "follow, that it is about them."},
    {reason::dimensions, "The query vector has other dimensions than the column."},
    {reason::vectors_differ, "It ranks rows by the distance to another vector."},
    {reason::may_raise, "Inside a transaction, an expression that may fail is PostgreSQL's."},
    {reason::limit_value, "LIMIT or OFFSET is NULL, negative, zero, or no integer."},
    {reason::limit_too_large, "LIMIT and OFFSET ask for too many rows."},
    {reason::row_limit, "Execute asks for fewer rows than LIMIT."},
    {reason::named_portal, "Its portal has a name."},
    {reason::parameter_types, "Parameters are declared with types that veer does not follow."},
    {reason::unknown_column, "It names a column that the table does not have."},
    {reason::format_code, "It asks for a format that there is not."},
    {reason::function_unknown,
     "Of the function that it calls there is none, or more than one of its name."},
    {reason::function_changed,
     "The function or the table is not what it was, or not of the types that the function says, or "
     "the role may not execute it."},
    {reason::function_language,
     "The function that it calls is not LANGUAGE sql: its body cannot be put into its place."},
    {reason::function_form,
     "The function that it calls is SECURITY DEFINER, STRICT or has a SET clause, does not return "
     "several columns of rows, or has names that mean more than one thing."},
    {reason::function_arguments,
     "An argument of the function is no constant or parameter of the type that is declared."},
    {reason::function_outputs,
     "The function gives out what is neither a column of the table, of the declared type, nor "
     "computed from the distance."}};

constexpr Explanation of_parser[] = {
    {"parse_error", "veer cannot parse it."},
    {"too_long", "It is longer, or nested deeper, than veer reads."},
    {"multiple_statements", "There are several statements in one string."},
    {"not_select", "It is no SELECT."},
    {"derived_vector",
     "It is ordered by a distance from what a function makes of a column; veer has an index of the "
     "column alone."},
    {"no_distance_order", "It is not ordered by a distance from a column."},
    {"descending",
     "The farthest first, NULLS FIRST, or by a number computed from the "
     "distance without order_by_similarity of a [[route]]: "
     "PostgreSQL's answer is exact."},
    {"order_keys",
     "It is ordered by more than the distance, without tie_breakers of a [[route]]: PostgreSQL's "
     "answer is exact."},
    {"no_limit", "It has no LIMIT."},
    {"function", "A function may have effects, or a type is one that veer does not know."},
    {"subquery", "It has a SELECT inside an expression."},
    {"expression", "It has an expression of a kind that veer does not follow."},
    {"join", "FROM has something that is no plain table, or a join of another kind."},
    {"grouping", "It groups, aggregates, or drops duplicates."},
    {"set_operation", "It is a UNION or the like, or in parentheses."},
    {"with_clause", "Its WITH clause is one that veer does not follow."},
    {"locking", "It locks rows, or writes a table."},
    {"projection", "It has no outputs."},
    {"query_vector", "The query vector is an expression."},
    {"limit_form", "LIMIT or OFFSET is an expression, or WITH TIES."}};

std::string_view looked_up(std::span<const Explanation> explanations, Reason why) {
    const auto found =
        std::find_if(explanations.begin(), explanations.end(), [&](const Explanation& each) {
            return each.first == why;
        });
    return found == explanations.end() ? std::string_view() : found->second;
}

bool by_index(Reason why) {
    return why == reason::local || why == reason::rewrite;
}

Notice notice(std::string_view beginning, Reason why, const Route* route) {
    Notice notice{
        .message = std::string(beginning) + " (" + std::string(why) + ')',
        .detail = std::string(explanation(why))};
    if (route != nullptr) {
        char share[32];
        std::snprintf(share, sizeof share, "%.6g", route->traffic->share());
        notice.detail += notice.detail.empty() ? "" : " ";
        notice.detail += "Route " + route->name + ", share " + share + " %.";
    }
    return notice;
}

/// As Postgres reads a boolean, as far as people write one.
bool is_on(std::string_view word) {
    constexpr std::string_view words[] = {"on", "true", "yes", "1", "t", "y"};
    return std::any_of(std::begin(words), std::end(words), [&](std::string_view each) {
        return std::equal(each.begin(), each.end(), word.begin(), word.end(), [](char a, char b) {
            return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
        });
    });
}

}  // namespace

std::string_view notice_query() {
    return "SELECT pg_catalog.current_setting('client_min_messages')"
           ", pg_catalog.current_setting('veer.notice', true)";
}

NoticeSettings decode_notice_settings(const std::vector<std::optional<std::string_view>>& row) {
    if (row.size() != 2 || !row[0]) {
        return {};
    }
    return {
        .heard = *row[0] != "warning" && *row[0] != "error",
        .searches = is_on(row[1].value_or(""))};
}

Notice notice_of_search(Reason why, const Route* route) {
    return notice(
        by_index(why) ? "veer answered this search from its index"
                      : "veer left this search to PostgreSQL",
        why,
        route
    );
}

Notice notice_of_explain(Reason why, const Route* route) {
    return notice(
        by_index(why) ? "veer would answer this search from its index"
                      : "veer would leave this search to PostgreSQL",
        why,
        route
    );
}

std::string_view explanation(Reason why) {
    const std::string_view known = looked_up(of_router, why);
    return known.empty() ? looked_up(of_parser, why) : known;
}

}  // namespace veer::router
