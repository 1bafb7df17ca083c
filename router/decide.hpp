#pragma once

#include "parser/statement.hpp"
#include "router/reason.hpp"
#include "router/route.hpp"
#include "router/search.hpp"
#include "router/session_facts.hpp"

#include <cstdint>
#include <optional>
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
    bool panic = false;
    char transaction = 'I';  ///< of the last ReadyForQuery: 'I', 'T' or 'E'
    bool utf8 = true;        ///< client_encoding is UTF8 and standard_conforming_strings is on
    bool settings_touched =
        false;  ///< the session mentioned "veer.", so facts may override the share
};

/// The decision table, first match wins (CUTOVER.md 1.6). "Postgres" beats "veer" everywhere.
///
///      1  panic                                     Postgres
///      2  route not live                            Postgres
///      3  encoding not understood, failed transaction  Postgres
///      4  outside the share, nothing set by session Postgres      (no question asked: 0 % costs
///      nothing)
///     ---- facts are asked for here ----
///      5  table, names or types not what they were  Postgres
///      6  transaction wrote, isolation, rights, RLS Postgres
///      7  exact answers asked for                   Postgres
///      8  veer.route = postgres                     Postgres
///      9  veer.route = veer, or inside the share    veer
///     10  else                                      Postgres

/// Rows 1-4: a Reason settles it for Postgres; nothing means that the facts are needed.
std::optional<Reason> settled_without_facts(
    const Route& route, bool live, const Circumstances& circumstances, double bucket
);

/// Rows 5-10, with the facts. `bucket` is the default key's; veer.key replaces it. `one_vector`:
/// the outputs' distances are to the query vector.
std::variant<Service, Reason> decide(
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const SessionFacts& facts,
    double bucket,
    bool one_vector
);

/// True where the key and the distance are all that is asked for, in forms that veer can write
/// exactly as Postgres does.
bool answerable_locally(const Route& route, const parser::NearestNeighbourQuery& query);

/// True where each output, and each column that is named with its table, is known to exist: so that
/// neither the statement fails on a name nor a function is called by a column's.
bool outputs_known(const Route& route, const parser::NearestNeighbourQuery& query);

}  // namespace veer::router
