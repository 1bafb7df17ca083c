#pragma once

#include "config/cutover.hpp"
#include "router/cutover/command.hpp"
#include "router/cutover/gates.hpp"
#include "router/cutover/guards.hpp"
#include "router/cutover/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace veer::router::cutover {

/// What a move is judged by, besides the position it starts from.
struct Situation {
    Time now = {};
    const config::Cutover* policy = nullptr;
    bool panic = false;
    bool unreadable = false;     ///< the stored state
    std::string not_ready = {};  ///< why the index cannot take traffic now; empty where it can
    Verdict verdict = Verdict::inconclusive;
    std::string obstacle = {};  ///< in the gates' words
};

/// What a route's traffic may be moved to without asking. From `off`, observe and shadow open it
/// to sessions that choose the index.
bool goes_back(const Position& from, Verb verb);

/// Whether its last move took traffic back: then it stays there until somebody promotes it.
bool came_down(const Position& position);

/// The position that a command leads to, or the refusal.
///
/// 1. What goes back is never refused for a known route, whatever the revision.
/// 2. What raises the allowed share needs: the state read, the revision, no hold, no panic, no
/// other
///    trial, a ready index, the guards' consent (acknowledged, cooled down, at most half of what
///    was good), the time at the present step, and the gates.
using Planned = std::variant<Position, Reply>;

Planned plan(
    const std::string& route,
    const Position& position,
    const Command& command,
    std::optional<std::uint64_t> expected_revision,
    const Situation& situation
);

/// What a guard's trouble makes of a position; nothing where it changes none.
std::optional<Position> after_trouble(
    const Position& position,
    const Trouble& trouble,
    const config::Cutover& policy,
    const config::Guards& guards,
    Time now
);

/// What a percentage newly written in the configuration makes of it; nothing where it says what it
/// said before.
std::optional<Position> after_file(const Position& position, double file_percent, Time now);

/// What the end of its trial makes of it; nothing while there is no end. A clock that has gone back
/// behind the trial's start ends it. Where that would raise the share of a route that a guard, or
/// somebody, has stopped meanwhile, the share stays what it is.
std::optional<Position> after_time(const Position& position, Time now);

}  // namespace veer::router::cutover
