#include "proxy/compare/comparer.hpp"

#include "index/unhurried.hpp"
#include "proxy/compare/background.hpp"
#include "router/candidate.hpp"
#include "router/search_order.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace veer::proxy::compare {

namespace {

using router::compare::Difference;
using router::compare::Mismatch;
using router::compare::Observation;
using router::compare::Rows;
using router::compare::Severity;
using Clock = std::chrono::steady_clock;

/// Of load_max; golden sets have the rest.
constexpr double share_of_load = 0.75;
/// How long the stream may take to bring what Postgres has seen.
constexpr std::chrono::seconds settle_time_max{2};
/// Of which it works for a part: the rest is for whoever waits.
constexpr std::chrono::seconds exact_time_max{8};
/// Idle threads look so often whether anybody searches.
constexpr std::chrono::nanoseconds look_every{router::compare::LoadBudget::look_every_ns};
/// One disagreement in so many is put to Postgres a second time.
constexpr std::uint64_t asked_twice_one_in = 8;

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
}

std::int64_t wall_clock_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch()
    )
        .count();
}

bool compares_anything(const config::Config& config) {
    const bool route =
        std::any_of(config.routes.begin(), config.routes.end(), [](const config::Route& each) {
            return each.compare_rate > 0;
        });
    const bool rule =
        std::any_of(config.rules.begin(), config.rules.end(), [](const config::Rule& each) {
            return each.active && each.sample.value_or(0) > 0;
        });
    return (route || rule || config.compare.rate > 0) && config.compare.budget_per_second > 0 &&
           config.compare.load_max > 0;
}

bool same(const router::compare::Judgement& judgement) {
    return severity_of(judgement.verdict) == Severity::equal;
}

const index::Filter* filter_of(const Observation& observation) {
    return observation.filter ? &*observation.filter : nullptr;
}

/// A tenth of the place's digits that nothing else looks at.
bool asks_twice(double place) {
    return static_cast<std::uint64_t>(place * 1e12) % asked_twice_one_in == 0;
}

/// Names the columns that differ, and drops all values: they have been compared.
void name_payload(const storage::Table& table, Mismatch& made) {
    for (const std::size_t place : made.judgement.payload_columns) {
        made.payload.push_back(table.columns[table.copied.at(made.columns.at(place))].name);
    }
    made.answers.payload.clear();
    if (made.answers.veer) {
        for (index::Hit& row : *made.answers.veer) {
            row.values = {};
        }
    }
}

/// The judged answer: the client's own where it has one, else asked now. False where a route's
/// other server has none: clients get Postgres' answer then, and it is counted.
bool answer_by_candidate(const Observation& observation, Mismatch& made) {
    constexpr std::uint32_t pgvector_default = 40;
    const std::uint32_t ef = observation.ef_search.value_or(pgvector_default);
    router::SearchOrder order{
        .index = observation.column->index,
        .vector = observation.vector,
        .rows = observation.k,
        .ef = std::max<std::size_t>(ef, observation.k),
        .filter = observation.filter,
        .columns = observation.columns,
        .candidate = observation.candidate};
    if (order.candidate && !observation.served_by_veer) {
        order.place = order.candidate->admit();
        if (!order.place) {
            return false;
        }
    }
    if (observation.served_by_veer) {
        made.answers.veer = observation.veer;
    }
    if (observation.served_by_veer && observation.search_ms) {
        made.durations.veer = *observation.search_ms;
    } else {
        const double before = thread_seconds();
        const Clock::time_point asked = Clock::now();
        auto found = order.run();
        made.durations.veer = 1000 * (thread_seconds() - before);
        if (order.candidate) {
            made.durations.veer =
                std::chrono::duration<double, std::milli>(Clock::now() - asked).count();
            if (!found) {
                return false;
            }
        }
        if (!observation.served_by_veer && found) {
            made.answers.veer = *std::move(found);
        }
    }
    return true;
}

}  // namespace

Comparer::Comparer(Parts parts) : parts_(std::move(parts)) {}

Comparer::~Comparer() {
    stop();
}

void Comparer::configure(const config::Config& config) {
    const bool on = compares_anything(config);
    parts_.log.keep(on, now_ns());
    judge_share_ = config.compare.judge_cores / thread_count;
    parts_.ledger.set_targets(
        {.recall = config.gates.recall_min,
         .pg_margin = config.gates.margin,
         .judged = config.gates.compared_min,
         .excluded_share = config.gates.excluded_max}
    );
    const std::lock_guard lock(mutex_);
    budget_.set_rate(config.compare.budget_per_second);
    judge_budget_.set_rate(config.compare.judge_cores);
    bounded_ = config.compare.load_max < 1;
    load_.set_share(config.compare.load_max * (bounded_ ? share_of_load : 1));
    if (on && threads_.empty() && !stopping_) {
        for (unsigned i = 0; i < thread_count; ++i) {
            threads_.emplace_back([this] { serve(); });
        }
    }
}

void Comparer::offer(Observation observation) noexcept {
    observation.tally->sampled.fetch_add(1, std::memory_order_relaxed);
    const std::shared_ptr<router::compare::Tally> tally = observation.tally;
    Shed shed = Shed::busy;
    try {
        shed = take(observation);
    } catch (...) {  // no memory for it: the client's thread goes on
        shed = Shed::busy;
    }
    if (shed != Shed::none) {
        auto& why = shed == Shed::load     ? tally->shed_load
                    : shed == Shed::budget ? tally->shed_budget
                                           : tally->shed_busy;
        why.fetch_add(1, std::memory_order_relaxed);
        tally->shed.fetch_add(1, std::memory_order_relaxed);
    }
}

Comparer::Shed Comparer::take(Observation& observation) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || stopping_) {
        return Shed::busy;
    }
    const std::int64_t now = now_ns();
    if (const Shed shed = admit(now); shed != Shed::none) {
        return shed;
    }
    if (!recent_.enter(observation.place, now)) {
        budget_.charge(-1);
        observation.tally->repeated.fetch_add(1, std::memory_order_relaxed);
        return Shed::none;
    }
    taken_.push_back(std::move(observation));
    ++flying_;
    changed_.notify_one();
    return Shed::none;
}

/// Whether there is somebody, and anything left, to compare with.
Comparer::Shed Comparer::admit(std::int64_t now_ns) {
    if (!load_.available(now_ns) || (bounded_ && flying_ > 0)) {
        return Shed::load;
    }
    if (taken_.size() + (waiting_ ? 1 : 0) >= idle_) {
        return Shed::busy;
    }
    return budget_.take(now_ns) ? Shed::none : Shed::budget;
}

void Comparer::serve() {
    give_way();  // clients come first
    Pgvector pgvector(parts_.dsn, wake_);
    for (;;) {
        std::unique_lock lock(mutex_);
        ++idle_;
        while (!stopping_ && taken_.empty() && !waiting_) {
            load_.look(parts_.ledger.searches(), now_ns());
            changed_.wait_for(lock, look_every);
        }
        --idle_;
        if (stopping_) {
            return;
        }
        if (auto waiting = std::exchange(waiting_, std::nullopt)) {
            lock.unlock();
            waiting->done(once(waiting->observation));
            continue;
        }
        const Observation observation = std::move(taken_.front());
        taken_.pop_front();
        lock.unlock();
        serve(observation, pgvector);
    }
}

void Comparer::serve(const Observation& observation, Pgvector& pgvector) {
    Flight flight;
    const auto end = [&] {
        const std::lock_guard lock(mutex_);
        load_.charge(flight.in_flight_ns());
        --flying_;
    };
    if (!paused(observation.route)) {
        Compared compared = compare_guarded(pgvector, observation, flight);
        end();
        if (auto* const made = std::get_if<Mismatch>(&compared)) {
            if (parts_.ignored != nullptr) {
                parts_.ignored->apply(*made);
            }
            if (parts_.compared) {
                parts_.compared(*made);
            }
            parts_.ledger.add(std::move(*made));
            return;
        }
        pause(observation.route, std::get<Failed>(compared));
    } else {
        end();
    }
    observation.tally->failed.fetch_add(1, std::memory_order_relaxed);
}

bool Comparer::paused(const std::string& route) {
    const std::lock_guard lock(mutex_);
    return pauses_.paused(route, now_ns());
}

void Comparer::pause(const std::string& route, Failed why) {
    const std::lock_guard lock(mutex_);
    if (why == Failed::server) {
        pauses_.begin_for_all(now_ns());
    } else if (why == Failed::statement) {
        pauses_.begin(route, now_ns());
    }
}

/// Comparing must not end the process.
Comparer::Compared Comparer::compare_guarded(
    Pgvector& pgvector, const Observation& observation, Flight& flight
) {
    try {
        return compare(pgvector, observation, flight);
    } catch (const std::exception& error) {  // no memory
        spdlog::warn("comparison of {}: {}", observation.route, error.what());
        return Failed::copy;
    }
}

std::optional<Rows> Comparer::exact(const Observation& observation, Flight& flight) {
    {
        const std::lock_guard lock(mutex_);
        if (!judge_budget_.available(now_ns())) {
            return std::nullopt;
        }
    }
    const double before = thread_seconds();
    Slices slices(judge_share_, flight);
    const index::Unhurried unhurried([&slices] { slices.breathe(); });
    auto found = observation.column->index->search_exact(
        {.query = observation.vector,
         .k = router::compare::exact_rows(observation.k),
         .filter = filter_of(observation),
         .limits = {.cancelled = &stopped_, .deadline = Clock::now() + exact_time_max}}
    );
    const std::lock_guard lock(mutex_);
    judge_budget_.charge(thread_seconds() - before);
    return found ? std::optional(*std::move(found)) : std::nullopt;
}

Comparer::Compared Comparer::compare(
    Pgvector& pgvector, const Observation& observation, Flight& flight
) {
    Mismatch made;
    const std::int64_t began_ns = now_ns();
    made.taken_us = wall_clock_us();
    made.route = observation.route;
    made.shape = observation.shape;
    made.vector = observation.vector;
    made.filter = observation.filter;
    made.columns = observation.columns;
    made.durations.served = observation.served_ms;
    made.durations.served_by_veer = observation.served_by_veer;
    made.answers.k = observation.k;
    made.answers.tolerance = router::compare::tolerance_for(
        observation.column->index->options().metric, observation.vector
    );
    made.applied = observation.served_by_veer ? observation.applied : parts_.replica.applied();

    if (!answer_by_candidate(observation, made)) {
        parts_.ledger.note_trouble(observation.route, "The route's other server has no answer.");
        return Failed::candidate;
    }
    const auto answer = pgvector.ask(
        {.column = *observation.column,
         .vector = observation.vector,
         .k = observation.k,
         .filter = filter_of(observation),
         .columns = observation.columns,
         .ef_search = observation.ef_search,
         .veer = made.answers.veer ? &*made.answers.veer : nullptr,
         .ask_twice = asks_twice(observation.place),
         .tolerance = made.answers.tolerance}
    );
    if (!answer.has_value()) {
        if (parts_.ledger.note_trouble(observation.route, answer.error().message)) {
            spdlog::warn("comparing {} fails: {}", observation.route, answer.error().message);
        }
        return answer.error().code == storage::Errc::connection ? Failed::server
                                                                : Failed::statement;
    }
    made.asked_twice = asks_twice(observation.place);
    made.answers.postgres = answer->rows;
    made.answers.confirmed = answer->confirmed;
    made.answers.outside = answer->outside;
    made.answers.payload = answer->payload;
    made.answers.moving = answer->moving;
    made.answers.exact = exact(observation, flight);
    // How far another server was nobody knows: whatever is known to have changed may be on its way.
    router::compare::Window window{.before = made.applied, .after = parts_.log.noted()};
    if (observation.candidate) {
        const std::chrono::nanoseconds lag = observation.candidate->lag_max();
        window.before = parts_.log.known_from();
        window.since_ns = began_ns - lag.count();
    }
    made.durations.postgres = answer->milliseconds;
    made.durations.round_trip = answer->round_trip_ms;
    made.ef_search = answer->ef_search;
    made.pg_lsn = answer->lsn;
    made.judgement = judge(made.answers);
    if (!same(made.judgement)) {
        const bool settled = settle(answer->lsn, flight);
        made.answers.changed =
            parts_.log.between(observation.column->table.oid, window, answer->snapshot);
        made.answers.changed.covered = made.answers.changed.covered && settled;
        made.judgement = judge(made.answers);
    }
    if (!still_served(observation)) {
        return Failed::copy;
    }
    name_payload(observation.column->table, made);
    return made;
}

Observation Comparer::Replay::observation() const {
    Observation again;
    again.route = kept->route;
    again.column = column;
    again.candidate = candidate;
    again.shape = kept->shape;
    again.vector = kept->vector;
    again.k = kept->answers.k;
    again.filter = kept->filter;
    again.columns = kept->columns;
    again.ef_search = ef_search.value_or(kept->ef_search);
    return again;
}

std::optional<Mismatch> Comparer::once(const Observation& observation) {
    Pgvector pgvector(parts_.dsn, wake_);
    Flight uncounted;  // somebody has asked for it
    Compared compared = compare_guarded(pgvector, observation, uncounted);
    auto* const made = std::get_if<Mismatch>(&compared);
    return made == nullptr ? std::nullopt : std::optional(std::move(*made));
}

bool Comparer::once_aside(Observation observation, Told done) {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_ || threads_.empty()) {
        return false;
    }
    waiting_.emplace(Waiting{.observation = std::move(observation), .done = std::move(done)});
    changed_.notify_one();
    return true;
}

/// Waits until all that Postgres had seen has come through the stream. False where it has not.
bool Comparer::settle(storage::Lsn lsn, Flight& flight) {
    struct Arrival {
        std::mutex mutex;
        std::condition_variable come;
        bool told = false;
    };

    const auto arrival = std::make_shared<Arrival>();
    const Clock::time_point begun = Clock::now();
    const Clock::time_point deadline = begun + settle_time_max;
    while (parts_.replica.applied() < lsn && Clock::now() < deadline && !wake_.woken()) {
        const auto waiter = parts_.replica.wait_for(lsn, [arrival] {
            const std::lock_guard lock(arrival->mutex);
            arrival->told = true;
            arrival->come.notify_one();
        });
        if (waiter == 0) {
            break;
        }
        parts_.nudge();
        std::unique_lock lock(arrival->mutex);
        const auto slice = std::min(deadline, Clock::now() + std::chrono::milliseconds(100));
        arrival->come.wait_until(lock, slice, [&] { return arrival->told; });
        lock.unlock();
        parts_.replica.cancel(waiter);
    }
    flight.waited(Clock::now() - begun);
    return parts_.replica.applied() >= lsn;
}

/// The copy that was searched is the one that is followed, so that the log knows its changes.
bool Comparer::still_served(const Observation& observation) const {
    const auto generation = parts_.replica.generation();
    return std::any_of(
        generation->columns.begin(),
        generation->columns.end(),
        [&](const index::IndexedColumn& each) {
            return each.live && each.index == observation.column->index;
        }
    );
}

void Comparer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        flying_ -= static_cast<unsigned>(taken_.size());
        taken_.clear();
        waiting_.reset();
    }
    stopped_ = true;
    wake_.wake();
    changed_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

}  // namespace veer::proxy::compare
