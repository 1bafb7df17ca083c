#pragma once

#include "config/cutover.hpp"
#include "router/cutover/detector.hpp"
#include "router/cutover/evidence.hpp"
#include "router/cutover/quantile.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router::cutover {

/// What a guard asks for, in rising order. Those up to divert hold while their cause does and
/// change no position; the others are moves that only people take back.
enum class Action : std::uint8_t { shed, divert, hold, step_down, quarantine, rollback };

std::string_view to_string(Action action);

/// A guard has tripped.
struct Trouble {
    std::string_view guard = {};
    Action action = Action::hold;
    std::string why = {};  ///< a sentence with the numbers
    std::uint64_t shape = 0;
    bool needs_person = false;  ///< nobody but a person may say that it is over
};

/// A guard as it stands, for SHOW GUARDS.
struct Guard {
    enum class Mode : std::uint8_t { armed, pending, tripped };

    std::string_view name = {};
    std::string_view kind = {};  ///< "hard", "test" or "gauge"
    double value = 0;
    double trip = 0;
    double clear = 0;
    Mode mode = Mode::armed;
    std::string_view action = {};
    std::uint64_t trips = 0;
    std::optional<Time> since = std::nullopt;  ///< in this mode, or tripped the last time
    std::uint64_t trips_of_a_day = 0;          ///< see GuardTimes
};

std::string_view to_string(Guard::Mode mode);

/// A measurement that may be too high: on after `hold_on` above `trip`, off after `hold_off` below
/// `clear`. Between the two levels it stays what it is, so it cannot flap.
///
///     trip  ────────╱╲──────────
///     clear ──────╱────╲────────     on:  ...|####################|...
class GaugeGuard {
  public:
    struct Levels {
        double trip = 0;
        double clear = 0;
        Duration hold_on{0};
        Duration hold_off{0};

        friend bool operator==(const Levels&, const Levels&) = default;
    };

    explicit GaugeGuard(Levels levels) : levels_(levels) {}

    /// True in the moment it goes on. An unknown value changes nothing.
    bool step(std::optional<double> value, Time now);

    bool on() const { return on_; }

    Guard describe(std::string_view name, Action action) const;

    const Levels& levels() const { return levels_; }

    /// From now on. Whether it is on stays what it was until a value says otherwise.
    void set_levels(Levels levels) { levels_ = levels; }

  private:
    Levels levels_;
    bool on_ = false;
    std::optional<Time> since_;  // the value has been on the other side
    double value_ = 0;
    std::uint64_t trips_ = 0;
};

/// All guards of one route (CUTOVER.md 1.7). Feeding it is all there is to do; what to do about a
/// Trouble is for Control.
///
///     hard    one is enough          correctness, client_error
///     test    Shiryaev-Roberts       recall_floor, worse_than_pg, slow, fallback
///     gauge   levels with hysteresis lag, wal_retained, pg_pressure, memory, golden (of recall
///                                    that lacks to 1: there is traffic or not)
///
/// A gauge that asks for a rollback does so for as long as it is on: a share that comes later, from
/// the configuration, is taken back as well.
///
/// The tests share 10^6: each has its own threshold, four times that.
class Guards {
  public:
    Guards(const config::Guards& guards, const config::Gates& gates);

    /// Other settings: what gauges show and what has been counted stays; a test whose floor has
    /// moved begins anew.
    void configure(const config::Guards& guards, const config::Gates& gates);

    std::vector<Trouble> on_comparison(const Comparison& comparison);
    std::vector<Trouble> on_gauges(const Gauges& gauges, Time now);

    /// Searches since the last call: answered by the index, of those begun by it ended by Postgres,
    /// and errors that only veer can have made.
    std::vector<Trouble> on_counts(
        std::uint64_t veer, std::uint64_t fallbacks, std::uint64_t client_errors
    );

    bool lagging() const { return lag_.on(); }

    /// Why no more traffic may come, a sentence; empty where nothing speaks against it.
    std::string no_more() const;

    bool shedding() const { return pressure_.on(); }

    std::optional<Duration> lag() const { return last_lag_; }

    /// Is this slower than nearly all of pgvector's own answers? Unknown before there are enough.
    std::optional<bool> slow(const Comparison& comparison) const;

    /// Traffic has moved: what was seen before proves nothing about now. That a guard has lowered
    /// it once already counts all the same.
    void begin_anew();

    /// Traffic has moved forward, or it is another index: every guard is as on its first day.
    void start_afresh();

    std::vector<Guard> describe() const;

  private:
    /// A test with what it does the first time and from the second time on.
    struct Test {
        std::string_view name;
        Detector detector;
        Action first;
        Action later;
        std::uint64_t trips = 0;
    };

    void feed(Test& test, double value, std::vector<Trouble>& troubles);

    Test recall_;
    Test worse_;
    Test slow_;
    Test fallback_;
    GaugeGuard lag_;
    GaugeGuard wal_;
    GaugeGuard pressure_;
    GaugeGuard memory_;
    GaugeGuard golden_;
    Quantile postgres_ms_{0.95};
    std::optional<Duration> last_lag_;
    std::set<std::uint64_t> wrong_shapes_;
    std::uint64_t wrong_ = 0;
    std::uint64_t client_errors_ = 0;
};

}  // namespace veer::router::cutover
