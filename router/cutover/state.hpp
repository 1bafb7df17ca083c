#pragma once

#include "router/cutover/evidence.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router::cutover {

/// Who answers the clients of a route, by the operators' will (CUTOVER.md 1.2).
///
///     off ─▶ observe ─▶ shadow ─▶ canary p % ─▶ full ─▶ complete
///                         ▲           │          │
///                         └── rollback ──────────┘
///
/// off       Postgres, and nobody may choose otherwise
/// observe   Postgres; a session may choose the index
/// shadow    Postgres; searches are compared
/// canary    the index for buckets below p %; compared both ways
/// full      the index for all; Postgres is asked in the background
/// complete  the index for all; Postgres is no longer expected to be able to
enum class State : std::uint8_t { off, observe, shadow, canary, full, complete };

std::string_view to_string(State state);
std::optional<State> state_from_text(std::string_view text);

/// What moved the traffic last.
enum class Origin : std::uint8_t { file, command, automation, guard, trial };

std::string_view to_string(Origin origin);
std::optional<Origin> origin_from_text(std::string_view text);

/// A raise that goes back by itself unless it is confirmed.
struct Trial {
    Time started;
    Time until;
    State back_state = State::shadow;
    double back_percent = 0;

    friend bool operator==(const Trial&, const Trial&) = default;
};

/// A guard took the traffic back.
struct Trip {
    std::string guard;
    Time at;
    Time cool_until;
    bool acknowledged = true;  ///< false where a person has to say so first

    friend bool operator==(const Trip&, const Trip&) = default;
};

/// Where a route's traffic stands. A value; what is stored of a route.
///
///     desired    what operators want           25 %
///     allowed    what guards leave of it       min(desired, ceiling)
///     effective  what momentary conditions leave of that: never stored, see traffic.hpp
///
/// Invariants:
/// 1. desired is 0 in off, observe and shadow, 100 in full and complete, and between in canary.
/// 2. Guards and conditions never change `desired`.
/// 3. Each change of state, desired, ceiling, held, trial or trip raises the revision.
struct Position {
    double desired = 0;
    double ceiling = 100;  ///< of guards: a step down lowers it, a rollback makes it 0
    std::uint64_t revision = 1;
    double file_percent = 0;  ///< what the configuration said when it was read last
    Time since;
    Duration cooldown{0};       ///< the last one; the next is twice that
    double good = 0;            ///< the largest share that was allowed before the last trip
    double before_desired = 0;  ///< for undo, with before_state
    std::vector<std::uint64_t> quarantined;  ///< shapes that stay on Postgres
    std::optional<Trial> trial;
    std::optional<Trip> trip;
    std::uint32_t reshuffles = 0;  ///< part of the salt
    State state = State::observe;
    State before_state = State::observe;
    Origin origin = Origin::file;
    bool held = false;  ///< no raise

    double allowed() const { return desired < ceiling ? desired : ceiling; }

    friend bool operator==(const Position&, const Position&) = default;
};

/// The state of a share: 0 is `below`, 100 full, anything between canary.
State state_of(double percent, State below);

/// The position of a route that was never moved but by its configured percentage.
Position configured(double percent, Time now);

/// The next step above a share; nothing above the last.
std::optional<double> step_above(const std::vector<double>& steps, double share);

/// The step below a share; 0 below the first.
double step_below(const std::vector<double>& steps, double share);

}  // namespace veer::router::cutover
