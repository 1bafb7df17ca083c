#pragma once

#include "router/cutover/evidence.hpp"
#include "router/cutover/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::router::cutover {

/// What an operator may ask for (CUTOVER.md 3.1).
enum class Verb : std::uint8_t {
    off,
    observe,
    shadow,
    promote,  ///< to `percent`, or one step up; for `lasting` only, where given
    confirm,  ///< a trial becomes what holds
    hold,     ///< no raise until resume
    resume,
    rollback,      ///< Postgres answers; never refused for a known route
    rollback_all,  ///< needs no route
    complete,      ///< needs the route's name typed
    reopen,
    undo,
    panic,  ///< all traffic to Postgres at once; survives a restart; needs no route
    unpanic,
    acknowledge,  ///< a person has looked at what a hard guard found
    reshuffle,    ///< other keys belong to the share
};

std::string_view to_string(Verb verb);

/// "promote" of any case, as console and command line spell it ("ack" is acknowledge).
std::optional<Verb> verb_from_text(std::string_view text);

/// True for what can only send traffic to Postgres: needs neither evidence nor the right revision.
bool goes_back(Verb verb);

struct Operator {
    std::string name;  ///< "alice"
    std::string via;   ///< "console", "http", "command line", "signal", "file"
};

struct Command {
    Verb verb = Verb::hold;
    std::string route = {};
    std::optional<double> percent = std::nullopt;
    std::optional<Duration> lasting = std::nullopt;
    std::string reason = {};  ///< for the audit; free text
    std::string typed = {};   ///< of complete: the route's name, typed by a person
    bool dry_run = false;     ///< says what would be, changes nothing
};

/// Why nothing was done: a stable code to act on, and what to type next.
namespace refused {

inline constexpr std::string_view unknown_route = "unknown_route";
inline constexpr std::string_view bad_percent = "bad_percent";    ///< not a number from 0 to 100
inline constexpr std::string_view bad_duration = "bad_duration";  ///< below a second, above a week
inline constexpr std::string_view revision = "revision";          ///< somebody moved it meanwhile
inline constexpr std::string_view state = "state";                ///< not from where it stands
inline constexpr std::string_view held = "held";
inline constexpr std::string_view panic = "panic";
inline constexpr std::string_view panic_file = "panic_file";  ///< still there
inline constexpr std::string_view trial = "trial";            ///< one is running, or none is
inline constexpr std::string_view tripped = "tripped";        ///< a hard guard: acknowledge first
inline constexpr std::string_view cooldown = "cooldown";
inline constexpr std::string_view too_early = "too_early";
inline constexpr std::string_view gates = "gates";        ///< evidence against
inline constexpr std::string_view evidence = "evidence";  ///< not enough of it, or too old
inline constexpr std::string_view not_typed = "not_typed";
inline constexpr std::string_view not_live = "not_live";      ///< no index to send traffic to
inline constexpr std::string_view not_saved = "not_saved";    ///< the state could not be stored
inline constexpr std::string_view busy = "busy";              ///< the move before is being stored
inline constexpr std::string_view drill = "drill";            ///< one is under way
inline constexpr std::string_view overtaken = "overtaken";    ///< while it was being stored
inline constexpr std::string_view state_file = "state_file";  ///< it could not be read at start

}  // namespace refused

/// What became of a command: done, or refused with a code; always with what to do next.
struct Reply {
    bool done = false;
    std::string code = {};       ///< "ok", "no_change", or one of `refused`
    std::string message = {};    ///< a sentence
    std::string next_step = {};  ///< a command or an act, empty where there is none
    std::string route = {};
    std::uint64_t revision = 0;  ///< of the route, after it
};

}  // namespace veer::router::cutover
