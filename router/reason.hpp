#pragma once

#include <string_view>

namespace veer::router {

/// Why a search went where it went: stable codes that users read in `SHOW veer.last` and count.
/// The codes of parser::Refusal join these for statements that are no servable search at all.
using Reason = std::string_view;

namespace reason {

// Answered by the index.
inline constexpr Reason local = "local";      ///< key and distance: veer alone
inline constexpr Reason rewrite = "rewrite";  ///< keys from veer, rows from Postgres

// Chosen: Postgres answers because somebody or something said so.
inline constexpr Reason panic = "panic";                      ///< SIGUSR2
inline constexpr Reason percent = "percent";                  ///< outside the route's share
inline constexpr Reason session_route = "session_route";      ///< SET veer.route = 'postgres'
inline constexpr Reason hint = "hint";                        ///< /* veer: route=postgres */
inline constexpr Reason rule = "rule";                        ///< a [[rule]] pins it to Postgres
inline constexpr Reason off = "off";                          ///< the route is
inline constexpr Reason exact_requested = "exact_requested";  ///< enable_indexscan = off

// Not possible now.
inline constexpr Reason tripped = "tripped";          ///< a guard took the traffic back
inline constexpr Reason lag = "lag";                  ///< the index is far behind
inline constexpr Reason drill = "drill";              ///< a rehearsed failure, for a moment
inline constexpr Reason state_file = "state_file";    ///< where traffic goes could not be read
inline constexpr Reason quarantined = "quarantined";  ///< answers to this shape were wrong
inline constexpr Reason not_live = "not_live";        ///< still copying, or sync is broken
/// The index did not reach the token in time, or may be older than the route's freshness allows.
inline constexpr Reason behind = "behind";
/// The session's server and the one that the index follows have parted: after a failover.
inline constexpr Reason other_timeline = "other_timeline";
inline constexpr Reason pipelined = "pipelined";  ///< part of a batch that veer does not split
inline constexpr Reason facts = "facts";          ///< Postgres did not tell the session's facts
inline constexpr Reason short_answer = "short_answer";  ///< fewer rows than asked for
inline constexpr Reason search_late = "search_late";    ///< the index took too long
inline constexpr Reason search_wide = "search_wide";    ///< visits_max of the route are not enough
inline constexpr Reason search_busy = "search_busy";    ///< too many long searches wait already
inline constexpr Reason engine = "engine";              ///< the route's other server did not answer
inline constexpr Reason engine_busy = "engine_busy";    ///< it has no place for one more search
inline constexpr Reason rewrite_failed = "rewrite_failed";
/// NULL or zero vectors come before the nearest ones in ORDER BY similarity DESC.
inline constexpr Reason unplaced_rows = "unplaced_rows";
inline constexpr Reason ties = "ties";  ///< too many rows are as far as the last one
inline constexpr Reason selective =
    "selective";                                ///< the conditions keep too few of the nearest rows
inline constexpr Reason canceled = "canceled";  ///< by the client, before there was an answer

// Must not be: the answer could differ from Postgres' own.
inline constexpr Reason no_route = "no_route";  ///< no mirrored index for this column and operator
inline constexpr Reason changed = "changed";    ///< the table is not what it was when copied
inline constexpr Reason hidden_name = "hidden_name";  ///< search_path resolves the name elsewhere
inline constexpr Reason transaction_failed = "transaction_failed";
inline constexpr Reason transaction_wrote = "transaction_wrote";
inline constexpr Reason isolation = "isolation";
inline constexpr Reason row_security = "row_security";
inline constexpr Reason idle_timeout = "idle_timeout";  ///< so short that asking facts decides
inline constexpr Reason not_permitted = "not_permitted";
inline constexpr Reason encoding = "encoding";
inline constexpr Reason vector_value = "vector_value";    ///< NULL, not a vector, NaN, zero norm
inline constexpr Reason half_migrated = "half_migrated";  ///< Postgres has none but migrated rows
/// Rows of the route's table do not hold vectors: Postgres fails on them, or does not come to them.
inline constexpr Reason unparsable = "unparsable";
inline constexpr Reason vector_type = "vector_type";  ///< cast to another type than the column's
inline constexpr Reason no_half_index = "no_half_index";  ///< of column::halfvec(n): exact, then
/// Of binary_quantize(column)::bit(n): exact in PostgreSQL, then.
inline constexpr Reason no_bit_index = "no_bit_index";
/// WHERE does not say that the rows are those of a partial index: exact, then.
inline constexpr Reason partial_index = "partial_index";
inline constexpr Reason dimensions = "dimensions";
inline constexpr Reason vectors_differ = "vectors_differ";  ///< RANK() is by another's distance
inline constexpr Reason several_vectors =
    "several_vectors";                            ///< too many of VALUES, too many keys, or of bits
inline constexpr Reason may_raise = "may_raise";  ///< in a transaction, which an error would end
inline constexpr Reason limit_value = "limit_value";  ///< NULL, negative, zero, not an integer
inline constexpr Reason limit_too_large = "limit_too_large";
inline constexpr Reason row_limit = "row_limit";        ///< Execute asks for fewer rows than LIMIT
inline constexpr Reason named_portal = "named_portal";  ///< cursors stay where they can be moved
inline constexpr Reason parameter_types =
    "parameter_types";  ///< declared types veer does not follow
inline constexpr Reason unknown_column = "unknown_column";
inline constexpr Reason format_code = "format_code";
// Of a function that a route names.
inline constexpr Reason function_unknown = "function_unknown";    ///< none, or several of the name
inline constexpr Reason function_language = "function_language";  ///< PL/pgSQL, C, ...
inline constexpr Reason function_form = "function_form";          ///< SECURITY DEFINER, SET, ...
inline constexpr Reason function_arguments = "function_arguments";
inline constexpr Reason function_changed = "function_changed";
inline constexpr Reason function_outputs = "function_outputs";

/// Of a search that veer had begun, and whose client waited for nothing.
constexpr bool gave_up(Reason why) {
    return why == rewrite_failed || why == engine || why == search_late || why == search_wide;
}

}  // namespace reason

enum class Engine : unsigned char { none, postgres, veer };

constexpr std::string_view to_string(Engine engine) {
    switch (engine) {
        case Engine::none:
            return "none";
        case Engine::postgres:
            return "postgres";
        case Engine::veer:
            return "veer";
    }
    return "none";
}

}  // namespace veer::router
