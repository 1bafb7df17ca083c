#pragma once

#include "parser/statement.hpp"
#include "router/hint.hpp"
#include "router/reason.hpp"
#include "router/route.hpp"
#include "router/search.hpp"
#include "router/session_facts.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace veer::router {

/// How a search is answered by the index.
enum class Service : std::uint8_t {
    local,    ///< veer answers alone
    rewrite,  ///< Postgres runs the statement restricted to the keys that veer found
};

/// What veer knows without asking Postgres.
struct Circumstances {
    char transaction = 'I';  ///< of the last ReadyForQuery: 'I', 'T' or 'E'
    bool utf8 = true;        ///< client_encoding is UTF8 and standard_conforming_strings is on
    bool settings_touched =
        false;  ///< the session mentioned "veer.", so facts may override the share
};

/// What one search brings along, whatever its session.
struct Asked {
    /// The default key's, or that of a hint's key=. Facts and StickyBy may say another.
    double bucket = 0;
    const Hint* hint = nullptr;
    std::uint64_t shape = 0;
    std::uint64_t k = 0;
    bool filtered = false;                ///< it has a WHERE
    std::string_view session = {};        ///< tells sessions apart
    std::string_view client = {};         ///< numeric address; empty over a Unix socket
    bool counted = true;                  ///< rules count it as a hit
    const index::Filter* told = nullptr;  ///< Search::told
};

/// The bucket of a hint's key, or of shape and vector.
double first_bucket(
    const Route& route, const Hint& hint, std::string_view shape, const storage::Vector& vector
);

/// The decision table, first match wins (CUTOVER.md 1.6). "Postgres" beats "veer" everywhere.
///
///      1  panic                                        Postgres
///      2  route not live; rows that do not parse       Postgres
///      3  encoding not understood, failed transaction  Postgres
///      4  hint: postgres                               Postgres
///      5  off, tripped, lagging; quarantined shape     Postgres
///      6  outside the share, nobody may say otherwise  Postgres (nothing asked: 0 % costs nothing)
///     ---- facts are asked for here ----
///      7  table, names or types not what they were     Postgres
///         encoding, of a SET in the same batch         Postgres
///      8  transaction wrote, isolation, rights, RLS    Postgres
///         idle timers of less than 5 s                 Postgres
///      9  exact answers asked for, or not of the rows
///         that a partial index has                     Postgres
///     10  veer.route = postgres, then a rule's pin     Postgres
///     11  veer.route or hint: veer, if allowed         veer
///     12  inside the share, and the rule's             veer
///     13  else                                         Postgres
///
/// Rows 1, 4, 5 and 10 to 13 are cutover::weigh()'s; 1, 4 and 5 come early because they can.

/// Rows 1-6: a Reason settles it for Postgres; nothing means that the facts are needed.
std::optional<Reason> settled_without_facts(
    const Route& route, const Circumstances& circumstances, const Asked& asked
);

/// Rows 5 and 7-13, with the facts. `complete`: Search::complete(), the values leave nothing for
/// Postgres to tell.
std::variant<Service, Reason> decide(
    const RouteTable& routes,
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const SessionFacts& facts,
    const Asked& asked,
    bool complete
);

/// Why the statement's order is not the index's to answer, where PostgreSQL's answer is exact and
/// no route (null: there is none) says that an approximate one will do.
std::optional<Reason> refuse_order(const Route* route, const parser::NearestNeighbourQuery& query);

/// True where rows without a distance, or of one that is no number, come before the nearest ones:
/// ORDER BY similarity DESC has them first, and the index does not have them.
bool unplaced_rows_lead(const Route& route, const parser::NearestNeighbourQuery& query);

/// True where all that is asked for, and all that WHERE is about, is in the copy, in forms that
/// veer can write and compare exactly as Postgres does: key, distance, and copied columns.
bool answerable_locally(const Route& route, const parser::NearestNeighbourQuery& query);

/// True where the keys of both, and copied columns among the outputs, have the same names and
/// types.
bool same_output_types(
    const Route& one, const Route& other, const parser::NearestNeighbourQuery& query
);

/// True where the columns that both have are of the same types: what Postgres inferred of a
/// statement's parameters under the one holds under the other.
bool same_column_types(const Route& one, const Route& other);

/// True where each output, and each column that is named with its table, is known to exist: so that
/// neither the statement fails on a name nor a function is called by a column's.
bool outputs_known(const Route& route, const parser::NearestNeighbourQuery& query);

}  // namespace veer::router
