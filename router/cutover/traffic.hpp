#pragma once

#include "router/cutover/state.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace veer::router::cutover {

/// Why the effective share is less than the desired one, strongest first.
enum class Cause : std::uint8_t {
    none,
    panic,
    unreadable,  ///< the stored state could not be read: nothing is certain
    off,
    tripped,       ///< a guard took the traffic back
    lag,           ///< the index is behind
    drill,         ///< a rehearsal has taken it back, for a moment
    stepped_down,  ///< a guard lowered the share; sessions may still choose the index
};

std::string_view to_string(Cause cause);

/// What the path of a search reads and counts of its route, without a lock.
///
/// Invariants:
/// 1. A rollback is one store: it holds for the next search.
/// 2. Lives as long as the process; a reload or a new copy of the data keeps it.
class Traffic {
  public:
    /// In percent of the keys: answered by the index iff bucket * 100 < share().
    double share() const { return share_.load(std::memory_order_relaxed); }

    Cause cause() const { return cause_.load(std::memory_order_relaxed); }

    State state() const { return state_.load(std::memory_order_relaxed); }

    /// False: not even a session's wish brings a search to the index.
    bool open() const {
        const Cause cause = this->cause();
        return cause == Cause::none || cause == Cause::stepped_down;
    }

    /// Searches may be compared with the other engine.
    bool comparing() const { return state() >= State::shadow && !shed(); }

    /// Postgres is under pressure: no work in the background.
    bool shed() const { return shed_.load(std::memory_order_relaxed); }

    /// Not eligible although its route is: a guard found its answers wrong.
    bool quarantined(std::uint64_t shape) const;

    void set(State state, double share, Cause cause) {
        cause_.store(cause, std::memory_order_relaxed);
        state_.store(state, std::memory_order_relaxed);
        share_.store(share, std::memory_order_relaxed);
    }

    void set_shed(bool shed) { shed_.store(shed, std::memory_order_relaxed); }

    void set_quarantined(std::vector<std::uint64_t> shapes);

    std::atomic<std::uint64_t> veer = 0;       ///< searches that the index answered
    std::atomic<std::uint64_t> postgres = 0;   ///< searches that Postgres answered
    std::atomic<std::uint64_t> fallbacks = 0;  ///< of them, those that veer had begun and failed
    std::atomic<std::uint64_t> client_errors = 0;  ///< that a client saw and Postgres did not say
    std::atomic<std::uint32_t> learned_ef = 0;     ///< 0: nothing is known yet

  private:
    std::atomic<double> share_ = 0;
    std::atomic<Cause> cause_ = Cause::none;
    std::atomic<State> state_ = State::observe;
    std::atomic<bool> shed_ = false;
    std::atomic<bool> any_quarantined_ = false;
    std::shared_ptr<const std::vector<std::uint64_t>> quarantined_;  // by std::atomic_load
};

}  // namespace veer::router::cutover
