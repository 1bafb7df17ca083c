#include "router/cutover/guards.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace veer::router::cutover {

namespace {

constexpr double between_alarms = 1e6;
constexpr double soft_guards = 4;  // that share it
constexpr std::size_t wrong_shapes_max = 3;
constexpr std::uint64_t counts_max = 10'000;  // looked at of one interval
constexpr double clear_share = 0.9;
constexpr double wal_clear_share = 0.125;
constexpr double pressure_trip = 0.8;
constexpr double pressure_clear = 0.7;

Detector test_of(double floor) {
    return Detector(floor, between_alarms * soft_guards);
}

std::string fallen(const Detector& detector) {
    char text[160];
    std::snprintf(
        text,
        sizeof text,
        "the mean has fallen below %.4f: evidence %.3g after %llu values",
        detector.floor(),
        detector.statistic(),
        static_cast<unsigned long long>(detector.seen())
    );
    return text;
}

std::string above(const Guard& guard) {
    char text[120];
    std::snprintf(text, sizeof text, "%.6g is above %.6g", guard.value, guard.trip);
    return text;
}

GaugeGuard::Levels lag_levels(const config::Guards& guards) {
    return {
        static_cast<double>(guards.lag_max.count()),
        static_cast<double>(guards.lag_clear.count()),
        guards.lag_for,
        guards.lag_clear_for};
}

}  // namespace

std::string_view to_string(Action action) {
    switch (action) {
        case Action::shed:
            return "shed";
        case Action::divert:
            return "divert";
        case Action::hold:
            return "hold";
        case Action::step_down:
            return "step_down";
        case Action::quarantine:
            return "quarantine";
        case Action::rollback:
            return "rollback";
    }
    return "hold";
}

std::string_view to_string(Guard::Mode mode) {
    switch (mode) {
        case Guard::Mode::armed:
            return "armed";
        case Guard::Mode::pending:
            return "pending";
        case Guard::Mode::tripped:
            return "tripped";
    }
    return "armed";
}

bool GaugeGuard::step(std::optional<double> value, Time now) {
    if (!value) {
        return false;
    }
    value_ = *value;
    const bool other_side = on_ ? *value < levels_.clear : *value > levels_.trip;
    if (!other_side) {
        since_.reset();
        return false;
    }
    if (!since_ || now < *since_) {
        since_ = now;
    }
    if (now - *since_ < (on_ ? levels_.hold_off : levels_.hold_on)) {
        return false;
    }
    on_ = !on_;
    since_.reset();
    trips_ += on_ ? 1 : 0;
    return on_;
}

Guard GaugeGuard::describe(std::string_view name, Action action) const {
    const Guard::Mode waiting = since_ ? Guard::Mode::pending : Guard::Mode::armed;
    return {
        .name = name,
        .kind = "gauge",
        .value = value_,
        .trip = levels_.trip,
        .clear = levels_.clear,
        .mode = on_ ? Guard::Mode::tripped : waiting,
        .action = to_string(action),
        .trips = trips_};
}

Guards::Guards(const config::Guards& guards, const config::Gates& gates)
    : recall_{"recall_floor", test_of(guards.recall_floor), Action::rollback, Action::rollback},
      worse_{"worse_than_pg", test_of((1.0 - gates.margin) / 2), Action::hold, Action::step_down},
      slow_{"slow", test_of(1.0 - guards.slow_share_max), Action::step_down, Action::step_down},
      fallback_{
          "fallback", test_of(1.0 - guards.fallback_max), Action::step_down, Action::rollback},
      lag_(lag_levels(guards)),
      wal_(
          {static_cast<double>(guards.wal_keep_max),
           wal_clear_share * static_cast<double>(guards.wal_keep_max),
           Duration(0),
           Duration(0)}
      ),
      pressure_({pressure_trip, pressure_clear, Duration(0), std::chrono::minutes(1)}),
      memory_({guards.memory_max, clear_share * guards.memory_max, Duration(0), Duration(0)}),
      golden_({1.0 - guards.recall_floor, 1.0 - gates.recall_min, Duration(0), Duration(0)}) {}

void Guards::configure(const config::Guards& guards, const config::Gates& gates) {
    Guards wanted(guards, gates);
    const auto take = [](Test& test, Test& other) {
        if (test.detector.floor() != other.detector.floor()) {
            test.detector = std::move(other.detector);
        }
    };
    take(recall_, wanted.recall_);
    take(worse_, wanted.worse_);
    take(slow_, wanted.slow_);
    take(fallback_, wanted.fallback_);
    lag_.set_levels(wanted.lag_.levels());
    wal_.set_levels(wanted.wal_.levels());
    pressure_.set_levels(wanted.pressure_.levels());
    memory_.set_levels(wanted.memory_.levels());
    golden_.set_levels(wanted.golden_.levels());
}

void Guards::feed(Test& test, double value, std::vector<Trouble>& troubles) {
    if (!test.detector.add(value)) {
        return;
    }
    troubles.push_back(
        {.guard = test.name,
         .action = test.trips == 0 ? test.first : test.later,
         .why = fallen(test.detector)}
    );
    ++test.trips;
    test.detector.reset();
}

std::optional<bool> Guards::slow(const Comparison& comparison) const {
    const auto usual = postgres_ms_.value();
    if (!comparison.veer_ms || comparison.cold || !usual) {
        return std::nullopt;
    }
    return *comparison.veer_ms > *usual;
}

std::vector<Trouble> Guards::on_comparison(const Comparison& comparison) {
    std::vector<Trouble> troubles;
    if (comparison.hard) {
        ++wrong_;
        wrong_shapes_.insert(comparison.shape);
        const bool all = *comparison.hard == HardDifference::invisible_row ||
                         wrong_shapes_.size() >= wrong_shapes_max;
        troubles.push_back(
            {.guard = "correctness",
             .action = all ? Action::rollback : Action::quarantine,
             .why = "a wrong answer was found: " + std::string(to_string(*comparison.hard)),
             .shape = comparison.shape,
             .needs_person = true}
        );
    }
    if (comparison.postgres_ms && !comparison.cold) {
        postgres_ms_.add(*comparison.postgres_ms);
    }
    if (const auto is_slow = slow(comparison)) {
        feed(slow_, *is_slow ? 0.0 : 1.0, troubles);
    }
    if (comparison.excluded) {
        return troubles;
    }
    if (const auto bound = comparison.recall ? comparison.recall : comparison.recall_at_most) {
        feed(recall_, *bound, troubles);
    }
    if (comparison.recall && comparison.postgres_recall) {
        feed(worse_, (*comparison.recall - *comparison.postgres_recall + 1.0) / 2, troubles);
    }
    return troubles;
}

std::vector<Trouble> Guards::on_gauges(const Gauges& gauges, Time now) {
    std::vector<Trouble> troubles;
    const auto number = [](const auto& value) {
        return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
    };
    if (gauges.lag) {
        last_lag_ = gauges.lag;
    }
    const auto report = [&](GaugeGuard& guard, std::string_view name, Action action) {
        troubles.push_back(
            {.guard = name, .action = action, .why = above(guard.describe(name, action))}
        );
    };
    if (lag_.step(
            gauges.lag ? std::optional(static_cast<double>(gauges.lag->count())) : std::nullopt, now
        )) {
        report(lag_, "lag", Action::divert);
    }
    wal_.step(number(gauges.wal_retained_bytes), now);
    if (wal_.on()) {
        report(wal_, "wal_retained", Action::rollback);
    }
    if (pressure_.step(gauges.postgres_pressure, now)) {
        report(pressure_, "pg_pressure", Action::shed);
    }
    if (memory_.step(gauges.memory_used, now)) {
        report(memory_, "memory", Action::hold);
    }
    golden_.step(
        gauges.golden_recall ? std::optional(1.0 - *gauges.golden_recall) : std::nullopt, now
    );
    if (golden_.on()) {
        report(golden_, "golden", Action::rollback);
    }
    return troubles;
}

std::vector<Trouble> Guards::on_counts(
    std::uint64_t veer, std::uint64_t fallbacks, std::uint64_t client_errors
) {
    std::vector<Trouble> troubles;
    if (client_errors > 0) {
        client_errors_ += client_errors;
        troubles.push_back(
            {.guard = "client_error",
             .action = Action::rollback,
             .why = "a client saw an error that Postgres had not said",
             .shape = 0,
             .needs_person = true}
        );
    }
    // Spread evenly: in what order they came is not known, and a made-up burst would be an alarm.
    const std::uint64_t all = veer + fallbacks;
    std::uint64_t due = 0;
    for (std::uint64_t i = 0; i < std::min(all, counts_max); ++i) {
        due += fallbacks;
        const bool fell_back = due >= all;
        due -= fell_back ? all : 0;
        feed(fallback_, fell_back ? 0.0 : 1.0, troubles);
    }
    return troubles;
}

void Guards::begin_anew() {
    for (Test* test : {&recall_, &worse_, &slow_, &fallback_}) {
        test->detector.reset();
    }
    wrong_shapes_.clear();
}

void Guards::start_afresh() {
    begin_anew();
    for (Test* test : {&recall_, &worse_, &slow_, &fallback_}) {
        test->trips = 0;
    }
}

std::string Guards::no_more() const {
    if (lag_.on()) {
        return "The index is behind Postgres.";
    }
    if (memory_.on()) {
        return "Memory is short.";
    }
    if (wal_.on()) {
        return "Postgres keeps too much of its log for veer.";
    }
    return golden_.on() ? "The index finds too little of the golden set's exact answers." : "";
}

std::vector<Guard> Guards::describe() const {
    const auto hard = [](std::string_view name, std::uint64_t count, Action action) {
        return Guard{
            .name = name,
            .kind = "hard",
            .value = static_cast<double>(count),
            .trip = 1,
            .clear = 0,
            .mode = Guard::Mode::armed,
            .action = to_string(action),
            .trips = count};
    };
    std::vector<Guard> rows{
        hard("correctness", wrong_, Action::quarantine),
        hard("client_error", client_errors_, Action::rollback)};
    for (const Test* test : {&recall_, &worse_, &slow_, &fallback_}) {
        rows.push_back(
            {.name = test->name,
             .kind = "test",
             .value = test->detector.statistic(),
             .trip = test->detector.threshold(),
             .clear = 0,
             .mode = Guard::Mode::armed,
             .action = to_string(test->trips == 0 ? test->first : test->later),
             .trips = test->trips}
        );
    }
    rows.push_back(lag_.describe("lag", Action::divert));
    rows.push_back(wal_.describe("wal_retained", Action::rollback));
    rows.push_back(pressure_.describe("pg_pressure", Action::shed));
    rows.push_back(memory_.describe("memory", Action::hold));
    rows.push_back(golden_.describe("golden", Action::rollback));
    return rows;
}

}  // namespace veer::router::cutover
