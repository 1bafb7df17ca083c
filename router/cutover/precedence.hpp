#pragma once

#include "router/cutover/traffic.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace veer::router::cutover {

/// What somebody says about one search.
enum class Voice : std::uint8_t { silent, postgres, veer };

/// "postgres" or "postgresql", "veer", in letters of any case; anything else is silent.
Voice voice_from_text(std::string_view text);

/// Everybody's say in one search.
struct Voices {
    Cause cause = Cause::none;  ///< of the route: panic, off, tripped, lag, ...
    bool eligible = true;       ///< the index' answer would be the one Postgres gives
    bool quarantined = false;
    Voice session = Voice::silent;  ///< SET veer.route
    Voice hint = Voice::silent;     ///< /* veer: route=... */
    bool rule_postgres = false;
    bool rule_allows_veer = false;
    bool role_allows_veer = true;  ///< of hint_roles
    std::optional<double> rule_max_percent;
    double share = 0;   ///< effective, in percent
    double bucket = 0;  ///< in [0, 1)
};

/// Who decided, in the order of CUTOVER.md 1.6.
enum class Decided : std::uint8_t {
    panic,
    ineligible,
    session_route,
    hint,
    rule,
    guard,  ///< also: off, and a state that could not be read
    quarantine,
    forced,   ///< session or hint, towards the index
    inside,   ///< the share
    outside,  ///< of it
};

struct Heard {
    bool veer = false;
    Decided by = Decided::outside;
};

/// Anything that says "Postgres" beats anything that says "veer"; among those that say the same,
/// the first of this table is named.
///
///     1  panic                                              Postgres
///     2  not eligible                                       Postgres
///     3  session, then hint: postgres                       Postgres
///     4  a rule pins it                                     Postgres
///     5  off, tripped, lagging ...; quarantined shape       Postgres
///     6  session or hint: veer, if role or rule allows it   veer
///     7  bucket < min(share, the rule's)                    veer, else Postgres
Heard weigh(const Voices& voices);

}  // namespace veer::router::cutover
