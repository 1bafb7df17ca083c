#include "proxy/compare/golden_keeper.hpp"

#include "index/checkpoint.hpp"
#include "index/passes.hpp"
#include "index/unhurried.hpp"
#include "proxy/compare/background.hpp"
#include "router/search_order.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <new>
#include <set>
#include <utility>

namespace veer::proxy::compare {

namespace {

using router::compare::GoldenInbox;
using router::compare::GoldenSet;
using router::compare::GoldenSummary;
using Clock = std::chrono::steady_clock;

constexpr double share_of_judge = 0.25;
constexpr double share_of_load = 0.25;
/// Of what it works: above that it is cheaper to judge again, later.
constexpr double share_of_following = 0.5;
/// Of which it works for a part.
constexpr std::chrono::seconds exact_time_max{8};

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
}

GoldenSet::Column column_of(const index::IndexedColumn& column) {
    return {
        .table = column.table.oid,
        .vector = column.vector,
        .metric = column.index->options().metric,
        .legacy = column.ann.legacy};
}

/// An index that has gone makes every distance unknown; it is not kept for that.
GoldenSet::Distance distance_in(const std::shared_ptr<const index::RouteIndex>& index) {
    return [weak = std::weak_ptr(index)](std::span<const float> a, std::span<const float> b) {
        const auto found = weak.lock();
        return found && a.size() == found->options().dimensions
                   ? found->distance(a, b)
                   : std::numeric_limits<double>::quiet_NaN();
    };
}

/// The same for as long as what is learnt of the one says something of the other.
std::string identity_of(const index::IndexedColumn& column) {
    const storage::Table& table = column.table;
    const auto attnum = [&table](std::size_t vector) {
        return std::to_string(table.columns[table.vectors[vector]].attnum);
    };
    return std::to_string(table.oid.value) + '.' + attnum(column.vector) +
           (column.ann.legacy ? '+' + attnum(*column.ann.legacy) : "") + ' ' +
           index::checkpoint::options_text(column.index->options());
}

GoldenSet::Passes passes_in(const std::shared_ptr<const index::RouteIndex>& index) {
    return std::make_unique<index::RowProbe>(index->options().columns);
}

}  // namespace

GoldenKeeper::GoldenKeeper(Parts parts) : parts_(std::move(parts)) {}

GoldenKeeper::~GoldenKeeper() {
    stop();
}

void GoldenKeeper::configure(const config::Config& config) {
    const std::lock_guard lock(mutex_);
    capacity_ = config.compare.golden;
    share_ = config.compare.judge_cores * share_of_judge;
    budget_.set_rate(share_);
    following_.set_rate(share_ * share_of_following);
    const double load = config.compare.load_max;
    load_.set_share(load < 1 ? load * share_of_load : load);
    for (auto& [route, set] : sets_) {
        set->set_capacity(capacity_);
    }
    if (capacity_ > 0 && !thread_.joinable() && !stopping_) {
        thread_ = std::thread([this] { serve(); });
    }
}

void GoldenKeeper::offer(
    const std::string& route, GoldenSet::Search search, std::optional<GoldenSet::Exact> exact
) {
    const std::lock_guard lock(mutex_);
    if (const auto found = sets_.find(route); found != sets_.end()) {
        found->second->offer(std::move(search), random_(), std::move(exact));
    }
}

std::map<std::string, GoldenSummary> GoldenKeeper::summaries() const {
    const std::lock_guard lock(shown_mutex_);
    return shown_;
}

/// For whoever looks, and must not wait for the sets.
void GoldenKeeper::show() {
    std::map<std::string, GoldenSummary> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [route, set] : sets_) {
            all[route] = set->summary();
        }
    }
    const std::lock_guard lock(shown_mutex_);
    shown_ = std::move(all);
}

std::map<std::string, GoldenKeeper::Curve> GoldenKeeper::curves() const {
    const std::lock_guard lock(shown_mutex_);
    return curves_;
}

std::vector<GoldenSet::Search> GoldenKeeper::searches(const std::string& route, std::size_t count)
    const {
    const std::lock_guard lock(mutex_);
    const auto set = sets_.find(route);
    return set == sets_.end() ? std::vector<GoldenSet::Search>() : set->second->searches(count);
}

void GoldenKeeper::serve() {
    give_way();  // clients come first
    Clock::time_point asked_all = Clock::now();
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        changed_.wait_for(lock, parts_.period, [this] { return stopping_ || asked_; });
        if (stopping_) {
            break;
        }
        lock.unlock();
        tune_if_asked();
        const bool ask_all = Clock::now() - asked_all >= parts_.measure_every;
        asked_all = ask_all ? Clock::now() : asked_all;
        try {
            round(ask_all);
        } catch (const std::exception& error) {  // no memory: it must not end the process
            spdlog::warn("golden sets: {}", error.what());
        }
        lock.lock();
    }
    lock.unlock();
    tune_if_asked();  // nobody is left waiting
}

bool GoldenKeeper::tune(std::string route, std::function<void(Curve)> done) {
    const std::lock_guard lock(mutex_);
    if (stopping_ || asked_ || !thread_.joinable()) {
        return false;
    }
    asked_.emplace(Asked{.route = std::move(route), .done = std::move(done)});
    changed_.notify_all();
    return true;
}

void GoldenKeeper::tune_if_asked() {
    std::optional<Asked> asked;
    {
        const std::lock_guard lock(mutex_);
        asked = std::exchange(asked_, std::nullopt);
    }
    if (!asked) {
        return;
    }
    Curve curve;
    try {
        curve = curve_of(asked->route);
    } catch (const std::exception& error) {  // no memory
        spdlog::warn("golden sets: {}", error.what());
    }
    if (!curve.empty()) {
        const std::lock_guard lock(shown_mutex_);
        curves_[asked->route] = curve;
    }
    asked->done(std::move(curve));
}

/// In slices, as all of it; it is charged to no budget, for somebody has asked for it.
GoldenKeeper::Curve GoldenKeeper::curve_of(const std::string& route) {
    const std::vector<Served> all = parts_.served();
    const auto served = std::find_if(all.begin(), all.end(), [&route](const Served& each) {
        return each.route == route;
    });
    if (served == all.end() || served->candidate) {  // another server's ef is not veer's to choose
        return {};
    }
    fit(all);
    drain();
    Curve curve;
    Flight uncounted;
    Slices slices(share_, uncounted);
    for (const std::size_t ef : router::compare::efs_tried()) {
        std::vector<Set::Due> due;
        {
            const std::lock_guard lock(mutex_);
            due = sets_.at(route)->fresh();
        }
        router::compare::EfPoint point{.ef = ef};
        for (const Set::Due& each : due) {
            if (stopped_) {
                return {};
            }
            const storage::Lsn as_of = parts_.replica.applied();
            const double before = thread_seconds();
            const auto found = served->column->index->search(
                {.query = each.search.vector,
                 .k = each.search.k,
                 .ef = std::max(ef, each.search.k),
                 .filter = each.search.filter ? &*each.search.filter : nullptr}
            );
            const double took = thread_seconds() - before;
            drain();
            std::optional<double> recall;
            if (found) {
                const std::lock_guard lock(mutex_);
                recall = sets_.at(route)->recall(each.id, as_of, *found);
            }
            if (recall) {
                point.add(*recall, took);
            }
            slices.breathe();
        }
        curve.push_back(point);
        if (point.searches == 0 || point.recall() >= 1) {
            break;
        }
    }
    return curve;
}

void GoldenKeeper::round(bool ask_all) {
    {
        const std::uint64_t searches = parts_.searches();
        const std::lock_guard lock(mutex_);
        load_.look(searches, now_ns());
    }
    const std::vector<Served> served = parts_.served();
    note_applied();
    fit(served);
    for (const Served& each : served) {
        if (each.recall_target && !each.candidate) {
            (void)learner_of(each);  // who knows from before need not wait for an answer
        }
    }
    drain();
    show();
    for (const Served& each : served) {
        judge_stale(each);
        std::vector<Set::Due> due;
        {
            const std::lock_guard lock(mutex_);
            const auto set = sets_.find(each.route);
            // What another server does not show yet it need not be asked for again and again.
            if (set != sets_.end() && (ask_all || !each.candidate)) {
                due = set->second->fresh(!ask_all);
            }
        }
        Flight between;  // each search is charged by itself
        Slices slices(share_, between);
        for (std::size_t i = 0; i < due.size() && may_work(); ++i) {
            ask_index(each, due[i]);
            show();
            slices.breathe();
        }
    }
    show();
    for (const auto& [route, summary] : summaries()) {
        parts_.measured(route, summary);
    }
}

/// A set for each route that is served, and no other.
void GoldenKeeper::fit(const std::vector<Served>& served) {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::unique_ptr<Set>> kept;
    std::set<storage::TableOid> tables;
    bool another = false;
    for (const Served& each : served) {
        std::unique_ptr<Set> set = std::move(sets_[each.route]);
        const Set::Column column = column_of(*each.column);
        if (set == nullptr || !(set->column() == column)) {
            set = std::make_unique<Set>(
                capacity_, column, distance_in(each.column->index), passes_in(each.column->index)
            );
            another = true;
        } else {
            set->set_index(distance_in(each.column->index), passes_in(each.column->index));
        }
        tables.insert(column.table);
        kept[each.route] = std::move(set);
    }
    sets_ = std::move(kept);
    if (another) {
        parts_.inbox.watch({});  // so that the new one learns from where on it knows
    }
    parts_.inbox.watch(std::move(tables));
}

void GoldenKeeper::drain() {
    const GoldenInbox::Taken taken = parts_.inbox.take();
    if (taken.lost) {
        lose(*taken.lost);
    }
    if (taken.changes.empty()) {
        return;
    }
    bool followed = false;
    try {
        followed = follow(taken.changes);
    } catch (const std::bad_alloc&) {  // in one set, and not in another
    }
    if (!followed) {
        lose(taken.changes.back().lsn);
    }
}

/// One change and one set at a time: others who have the lock wait for no more than that. False
/// where there is no time for all of them.
bool GoldenKeeper::follow(const std::vector<Set::Change>& changes) {
    constexpr std::size_t looked_after = 64;
    Flight uncounted;
    Slices slices(share_, uncounted);
    double before = thread_seconds();
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (stopped_ || (i % looked_after == 0 && !may_follow(before))) {
            return false;
        }
        for (const auto& [route, set] : sets_) {  // which no other thread replaces
            const std::lock_guard lock(mutex_);
            set->note(changes[i]);
        }
        slices.breathe();
    }
    may_follow(before);
    return true;
}

void GoldenKeeper::lose(storage::Lsn upto) {
    const std::lock_guard lock(mutex_);
    for (const auto& [route, set] : sets_) {
        set->lose(upto);
    }
}

/// Charges what was worked since `before`, which becomes now.
bool GoldenKeeper::may_follow(double& before) {
    const double now = thread_seconds();
    const double worked = now - std::exchange(before, now);
    const std::lock_guard lock(mutex_);
    budget_.charge(worked);
    following_.charge(worked);
    return following_.available(now_ns());
}

/// As many as there are now, each once.
void GoldenKeeper::judge_stale(const Served& served) {
    std::size_t stale = 0;
    {
        const std::lock_guard lock(mutex_);
        const GoldenSummary summary = sets_.at(served.route)->summary();
        stale = summary.searches - summary.fresh;
    }
    for (; stale > 0 && may_work(); --stale) {
        std::optional<Set::Due> due;
        {
            const std::lock_guard lock(mutex_);
            due = sets_.at(served.route)->next_stale();
        }
        if (!due) {
            return;
        }
        judge(served, *due);
        show();
    }
}

void GoldenKeeper::judge(const Served& served, const Set::Due& due) {
    const storage::Lsn as_of = parts_.replica.applied();
    const double before = thread_seconds();
    Flight flight;
    Slices slices(share_, flight);
    const index::Unhurried unhurried([&slices] { slices.breathe(); });
    auto exact = served.column->index->search_exact(
        {.query = due.search.vector,
         .k = router::compare::exact_rows(due.search.k),
         .filter = due.search.filter ? &*due.search.filter : nullptr,
         .limits = {.cancelled = &stopped_, .deadline = Clock::now() + exact_time_max}}
    );
    charge(thread_seconds() - before, flight);
    drain();
    bool fresh = false;
    {
        const std::lock_guard lock(mutex_);
        Set& set = *sets_.at(served.route);
        if (exact) {
            fresh = set.judged(
                due.id,
                {.as_of = as_of,
                 .asked = router::compare::exact_rows(due.search.k),
                 .rows = *std::move(exact)}
            );
        } else {
            set.postpone(due.id);
        }
    }
    if (fresh) {
        ask_index(served, due);
    }
}

void GoldenKeeper::ask_index(const Served& served, const Set::Due& due) {
    const std::uint32_t learned = served.recall_target ? served.traffic->learned_ef.load() : 0;
    const std::size_t ef =
        router::effective_ef(static_cast<std::uint32_t>(due.search.ef), false, learned);
    const std::optional<storage::Lsn> as_of = shown_by(served);
    if (!as_of) {
        return;
    }
    const auto found = search(served, due, ef);
    {
        const std::lock_guard lock(mutex_);
        if (found) {
            sets_.at(served.route)->measured(due.id, *as_of, *found);
        }
    }
    if (served.recall_target && !served.candidate &&
        !due.search.filter) {  // it learns of searches among all rows
        learn(served, due);
    }
}

/// Up to where whoever answers shows everything, for certain; nothing where that is not known.
std::optional<storage::Lsn> GoldenKeeper::shown_by(const Served& served) const {
    if (!served.candidate) {
        return parts_.replica.applied();
    }
    const Clock::time_point until = Clock::now() - served.candidate->lag_max();
    std::optional<storage::Lsn> shown;
    for (const Applied& each : applied_) {
        shown = each.at <= until ? std::optional(each.lsn) : shown;
    }
    return shown;
}

/// Each round. As it grows, every second one is forgotten: what is long ago is known less exactly.
void GoldenKeeper::note_applied() {
    constexpr std::size_t kept_max = 4096;
    applied_.push_back({Clock::now(), parts_.replica.applied()});
    if (applied_.size() > kept_max) {
        std::deque<Applied> kept;
        for (std::size_t i = 0; i < applied_.size(); i += 2) {
            kept.push_back(applied_[i]);
        }
        applied_ = std::move(kept);
    }
}

index::Result<std::vector<index::Hit>> GoldenKeeper::search(
    const Served& served, const Set::Due& due, std::size_t ef
) {
    router::SearchOrder order{
        .index = served.column->index,
        .vector = due.search.vector,
        .rows = due.search.k,
        .ef = std::max(ef, due.search.k),
        .filter = due.search.filter,
        .candidate = served.candidate};
    if (served.candidate) {
        order.place = served.candidate->admit();
        if (!order.place) {
            return index::make_error_code(index::Errc::cancelled);  // clients come first
        }
    }
    const double before = thread_seconds();
    const Flight flight;
    auto found = order.run();
    charge(thread_seconds() - before, flight);
    drain();  // all that the index may have shown is known now
    return found;
}

/// One of another target or index is begun anew, or where it has ended before if that is known.
router::EfLearner& GoldenKeeper::learner_of(const Served& served) {
    router::LearnedEf now{
        .route = served.route,
        .index = identity_of(*served.column),
        .target = *served.recall_target,
        .rows = served.column->index->live_rows()};
    const auto found = learners_.find(served.route);
    if (found != learners_.end() && found->second.index == now.index &&
        found->second.learner.target() == now.target) {
        return found->second.learner;
    }
    const std::optional<std::uint32_t> known = router::known_ef(parts_.learned, now);
    const router::EfLearner learner =
        known ? router::EfLearner{now.target, *known} : router::EfLearner{now.target};
    served.traffic->learned_ef = known ? learner.value() : 0;
    return learners_.insert_or_assign(served.route, Learner{learner, std::move(now.index)})
        .first->second.learner;
}

void GoldenKeeper::keep(const Served& served, const router::EfLearner& learner) {
    router::LearnedEf now{
        .route = served.route,
        .index = learners_.at(served.route).index,
        .target = learner.target(),
        .ef = learner.value(),
        .rows = served.column->index->live_rows()};
    if (router::remember(parts_.learned, std::move(now)) && parts_.keep_learned) {
        parts_.keep_learned(parts_.learned);
    }
}

void GoldenKeeper::learn(const Served& served, const Set::Due& due) {
    router::EfLearner& learner = learner_of(served);
    const storage::Lsn as_of = parts_.replica.applied();
    const auto answer = search(served, due, learner.asked());
    if (!answer) {
        return;
    }
    std::optional<double> recall;
    {
        const std::lock_guard lock(mutex_);
        recall = sets_.at(served.route)->recall(due.id, as_of, *answer);
    }
    if (recall) {
        learner.note(*recall);
        served.traffic->learned_ef = learner.value();
        keep(served, learner);
    }
}

bool GoldenKeeper::may_work() {
    const std::lock_guard lock(mutex_);
    return !stopping_ && budget_.available(now_ns()) && load_.available(now_ns());
}

void GoldenKeeper::charge(double seconds, const Flight& flight) {
    const std::lock_guard lock(mutex_);
    load_.charge(flight.in_flight_ns());
    budget_.charge(seconds);
}

void GoldenKeeper::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stopped_ = true;
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

}  // namespace veer::proxy::compare
