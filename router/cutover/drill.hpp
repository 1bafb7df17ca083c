#pragma once

#include "config/cutover.hpp"
#include "router/cutover/guards.hpp"
#include "router/cutover/state.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::router::cutover {

/// What a drill makes up.
enum class Fault : std::uint8_t {
    neighbours,  ///< the index finds half of the neighbours
    wrong,       ///< answers hold rows that fail the search's condition
    slow,        ///< the index is slower than Postgres ever was
    lag,         ///< the copy falls behind
};

std::string_view to_string(Fault fault);
std::optional<Fault> fault_from_text(std::string_view text);

/// What the guards would do about a fault: the route's own guards, as they stand, are told of it
/// and their verdicts move a position as after_trouble() says. Both are copies; nothing here is
/// stored, and nothing is left behind.
///
///     fault ──▶ Guards (a copy) ──▶ Trouble ──▶ after_trouble() ──▶ Position (a copy)
///                                                                   closed: its share is 0
class Rehearsal {
  public:
    Rehearsal(Fault fault, Position position, Guards guards);

    /// Tells the guards of the fault: of as many answers as it takes, or of the lag as it is now.
    void step(const config::Cutover& policy, const config::Guards& levels, Time now);

    /// The guards let no search go to the index.
    bool closed() const { return position_.allowed() <= 0 || guards_.lagging(); }

    Fault fault() const { return fault_; }

    /// Where the guards have brought the route.
    const Position& position() const { return position_; }

    /// Of the guard that acted last, with what it did; empty where none has.
    const std::string& guard() const { return guard_; }

    const std::string& why() const { return why_; }

    /// Comparisons that it took; none for lag, which is a matter of time.
    std::uint64_t answers() const { return answers_; }

    /// More made-up comparisons than this are not tried: nobody would call that noticed.
    static constexpr std::uint64_t answers_max = 100'000;

  private:
    void compare(const config::Cutover& policy, const config::Guards& levels, Time now);
    void act(const Trouble& trouble);

    Fault fault_;
    Position position_;
    Guards guards_;
    std::string guard_;
    std::string why_;
    std::uint64_t answers_ = 0;
};

/// For how long a route takes to compare so many answers, at its own rate so far.
std::optional<Duration> time_for(std::uint64_t answers, const Evidence& evidence);

/// How a drill went, as `DRILL` answers it.
struct DrillFindings {
    enum class Outcome : std::uint8_t {
        rolled_back,  ///< Postgres answers, and searches show it
        no_traffic,   ///< Postgres would answer, but nobody has searched
        not_noticed,  ///< no guard acted
        still_index,  ///< the index went on answering
        interrupted,  ///< a real move, or a panic, came in between
    };

    Outcome outcome = Outcome::interrupted;
    /// Since the fault began.
    std::optional<std::chrono::microseconds> share_zero = std::nullopt;
    std::optional<std::chrono::microseconds> confirmed = std::nullopt;
    std::uint64_t diverted = 0;  ///< searches that Postgres answered because of the drill
    std::uint64_t late = 0;      ///< that the index had begun, and answered after its share was 0
    std::uint64_t fallbacks = 0;
    std::uint64_t client_errors = 0;
};

std::string_view to_string(DrillFindings::Outcome outcome);

/// "searches went to Postgres 0.21 ms after the fault began, ...": a line for audit and log.
std::string to_text(const DrillFindings& findings);

/// Decides from counts, looked at again and again, when a drill is over and what it has shown.
///
///     fault ────▶ share is 0 ───▶ the last answer of the index ─▶ quiet ─▶ confirmed
///        notice_max    │ patience                                   ▲
///                      └────────────── a search that Postgres has answered instead
///
/// Confirmed is the later of the last answer of the index and the first of Postgres instead.
class DrillWatch {
  public:
    /// Counts since the start of the process, at one moment.
    struct Counts {
        std::uint64_t veer = 0;
        std::uint64_t diverted = 0;
        std::uint64_t fallbacks = 0;
        std::uint64_t client_errors = 0;
    };

    using Elapsed = std::chrono::microseconds;  ///< since the fault began

    /// `notice_max`: for how long guards may take.
    DrillWatch(const Counts& before, Elapsed notice_max)
        : before_(before), last_(before), notice_max_(notice_max) {}

    /// What was looked at: whether there is a rehearsal still, and whether its share is 0. True
    /// when the drill is over.
    bool note(const Counts& counts, bool running, bool closed, Elapsed elapsed);

    const DrillFindings& findings() const { return findings_; }

    /// No answer of the index for so long: there is none left on its way.
    static constexpr Elapsed quiet = std::chrono::milliseconds(100);

    /// For searches to come, once the share is 0.
    static constexpr Elapsed patience = std::chrono::seconds(5);

  private:
    bool end(DrillFindings::Outcome outcome);

    Counts before_;
    Counts last_;
    Elapsed notice_max_;
    Elapsed last_of_index_{0};
    std::optional<Elapsed> first_diverted_;
    DrillFindings findings_;
};

}  // namespace veer::router::cutover
