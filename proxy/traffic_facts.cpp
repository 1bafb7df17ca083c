#include "proxy/traffic_facts.hpp"

#include "proxy/shown_shape.hpp"
#include "router/compare/relations.hpp"
#include "router/cutover/betting.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace veer::proxy {

namespace {

using router::compare::Difference;
using router::compare::RouteRecord;
using router::compare::RouteStatistics;
using router::compare::Severity;
using router::cutover::RouteView;
using router::cutover::Time;

std::int64_t microseconds(Time time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::optional<std::int64_t> microseconds(const std::optional<Time>& time) {
    return time ? std::optional(microseconds(*time)) : std::nullopt;
}

admin::GateFacts to_facts(const router::cutover::GateView& view) {
    return {
        .route = view.route,
        .gate = std::string(view.gate.name),
        .value = view.gate.value,
        .bound = view.gate.bound,
        .threshold = view.gate.threshold,
        .samples = view.gate.samples,
        .evidence = view.gate.evidence,
        .verdict = std::string(to_string(view.gate.verdict)),
        .more_needed = view.gate.more_needed};
}

admin::GuardFacts to_facts(const router::cutover::GuardView& view) {
    return {
        .route = view.route,
        .guard = std::string(view.guard.name),
        .kind = std::string(view.guard.kind),
        .value = view.guard.value,
        .trip = view.guard.trip,
        .clear = view.guard.clear,
        .state = std::string(to_string(view.guard.mode)),
        .action = std::string(view.guard.action),
        .trips = view.guard.trips,
        .since = microseconds(view.guard.since),
        .trips_of_a_day = view.guard.trips_of_a_day};
}

admin::RuleFacts to_facts(const router::cutover::RuleView& view) {
    return {
        .rule = std::int64_t{view.rule.id},
        .route = view.rule.route,
        .match = view.match,
        .effect = view.effect,
        .hits = view.hits,
        .comment = view.rule.comment,
        .active = view.rule.active,
        .last_hit = microseconds(view.last_hit)};
}

admin::AuditFacts to_facts(router::cutover::AuditRecord record) {
    return {
        .seq = record.seq,
        .at = microseconds(record.at),
        .actor = std::move(record.actor),
        .via = std::move(record.via),
        .action = std::move(record.action),
        .route = std::move(record.route),
        .version = record.revision,
        .from = std::move(record.from),
        .to = std::move(record.to),
        .reason = std::move(record.reason),
        .verdict = std::move(record.verdict),
        .previous = std::move(record.previous),
        .hash = std::move(record.hash)};
}

admin::CompareFacts to_facts(const RouteRecord& record) {
    const RouteStatistics& all = record.statistics;
    const auto with = [&all](Difference difference) {
        return all.with.at(static_cast<std::size_t>(difference));
    };
    const auto mean = [&all](double value) {
        return all.counted() == 0 ? std::nullopt : std::optional(value);
    };
    return {
        .route = record.route,
        .sampled = record.sampled,
        .compared = all.compared,
        .judged = all.judged,
        .repeated = record.repeated,
        .shed = record.shed,
        .shed_why = record.shed_why,
        .failed = record.failed,
        .trouble = record.trouble,
        .excluded = all.excluded,
        .excluded_classes = classes_text(all, Severity::excluded),
        .equal = all.count(Severity::equal),
        .ties = all.count(Difference::tie_border) + all.count(Difference::tie_order),
        .veer_missed = with(Difference::veer_missed),
        .pg_missed = with(Difference::pg_missed),
        .both_missed = with(Difference::both_missed),
        .veer_short = with(Difference::veer_short),
        .pg_short = with(Difference::pg_short),
        .hard = all.count(Severity::hard),
        .hard_classes = classes_text(all, Severity::hard),
        .overlap = mean(all.mean_overlap()),
        .rank_overlap = mean(all.mean_rank_overlap()),
        .distance_ratio = mean(all.mean_distance_ratio()),
        .tolerance_matters = all.tolerance_matters};
}

admin::MismatchFacts to_facts(const router::compare::Mismatch& one) {
    std::string payload;
    for (const std::string& column : one.payload) {
        payload += (payload.empty() ? "" : ", ") + column;
    }
    return {
        .id = one.id,
        .at = one.taken_us,
        .route = one.route,
        .fingerprint = router::cutover::shape_text(router::cutover::shape_id(one.shape)),
        .difference = std::string(to_string(one.judgement.verdict)),
        .payload = std::move(payload),
        .severity = std::string(to_string(severity_of(one.judgement.verdict))),
        .k = one.judgement.k,
        .served_by_veer = one.durations.served_by_veer,
        .judged = one.judgement.judged,
        .recall = one.judgement.recall,
        .pg_recall = one.judgement.pg_recall,
        .distance_ratio = one.judgement.distance_ratio,
        .ef_search = one.ef_search,
        .ms = one.durations.veer,
        .pg_ms = one.durations.postgres,
        .applied_lsn = storage::to_string(one.applied),
        .pg_lsn = storage::to_string(one.pg_lsn),
        .noise = !one.asked_twice     ? ""
                 : one.answers.moving ? "pg_disagrees_with_itself"
                                      : "pg_agrees_with_itself"};
}

/// Whose searches a row is about.
struct About {
    std::string route;
    std::string fingerprint = {};
    std::optional<std::uint64_t> k = std::nullopt;
};

/// A bound takes half a millisecond to work out, on the thread of whoever looks: it is told of
/// whole routes alone, whose shapes may be many.
std::function<double()> proven(const router::compare::RecallHistogram& seen) {
    return [counts = seen.counts()] {
        router::cutover::Histogram histogram;
        for (std::size_t bin = 0; bin < counts.size(); ++bin) {
            histogram.add(bin, counts.at(bin));
        }
        constexpr double confidence = 0.99;
        return router::cutover::lower_bound(histogram, confidence);
    };
}

void add_recall(
    const About& about,
    const char* engine,
    const char* judge,
    const router::compare::RecallHistogram& seen,
    std::vector<admin::RecallFacts>& rows
) {
    if (seen.count() > 0) {
        rows.push_back(
            {.route = about.route,
             .engine = engine,
             .judge = judge,
             .samples = seen.count(),
             .mean = seen.mean(),
             .p10 = seen.quantile(0.1),
             .p1 = seen.quantile(0.01),
             .share_perfect = seen.share_perfect(),
             .share_below_50 = seen.share_below(0.5),
             .lower_99 = about.fingerprint.empty() ? proven(seen) : nullptr,
             .fingerprint = about.fingerprint,
             .k = about.k}
        );
    }
}

void add_latency(
    const About& about,
    const char* engine,
    const char* kind,
    const router::compare::LatencyHistogram& seen,
    std::vector<admin::LatencyFacts>& rows
) {
    if (seen.count() > 0) {
        rows.push_back(
            {.route = about.route,
             .engine = engine,
             .kind = kind,
             .count = seen.count(),
             .p50_ms = seen.quantile_ms(0.5),
             .p90_ms = seen.quantile_ms(0.9),
             .p95_ms = seen.quantile_ms(0.95),
             .p99_ms = seen.quantile_ms(0.99),
             .max_ms = seen.max_ms(),
             .fingerprint = about.fingerprint,
             .k = about.k}
        );
    }
}

/// Comparisons a millisecond, as they came until now; 0 where nobody can tell.
double comparing_rate(const router::cutover::Evidence& evidence) {
    if (!evidence.first || !evidence.last || *evidence.last <= *evidence.first) {
        return 0;
    }
    return static_cast<double>(evidence.compared) /
           static_cast<double>((*evidence.last - *evidence.first).count());
}

/// When so many more have been compared; nothing where they do not come.
std::optional<Time> after(Time now, std::optional<std::uint64_t> more, double rate) {
    if (!more || (*more > 0 && rate <= 0)) {
        return std::nullopt;
    }
    constexpr double longest_ms = 1e12;  // thirty years: who would read more
    const double wait = *more == 0 ? 0 : static_cast<double>(*more) / rate;
    return now + router::cutover::Duration(std::llround(std::min(wait, longest_ms)));
}

/// What all gates together ask for; nothing where one of them cannot tell.
std::optional<std::uint64_t> more_compared(
    const std::string& route, const std::vector<admin::GateFacts>& gates
) {
    std::uint64_t most = 0;
    for (const admin::GateFacts& gate : gates) {
        if (gate.route != route || gate.verdict == "pass") {
            continue;
        }
        if (!gate.more_needed) {
            return std::nullopt;
        }
        most = std::max(most, *gate.more_needed);
    }
    return most;
}

/// What the comparisons of a shape came to, whatever its k.
void add_compared(
    const std::vector<router::compare::ShapeRecord>& shapes,
    std::uint64_t shape,
    admin::QueryFacts& facts
) {
    router::compare::RecallHistogram veer;
    router::compare::RecallHistogram postgres;
    router::compare::LatencyHistogram veer_ms;
    router::compare::LatencyHistogram postgres_ms;
    std::map<std::uint64_t, std::uint64_t> of_k;
    for (const router::compare::ShapeRecord& record : shapes) {
        if (record.shape == shape && record.route == facts.route) {
            veer.add(record.recall);
            postgres.add(record.pg_recall);
            veer_ms.add(record.veer_ms);
            postgres_ms.add(record.postgres_ms);
            of_k[record.k] += record.veer_ms.count();
        }
    }
    if (veer.count() > 0) {
        facts.recall = veer.mean();
        facts.pg_recall = postgres.mean();
    }
    std::uint64_t below = 0;
    for (auto at = of_k.begin(); at != of_k.end() && 2 * below < veer_ms.count(); ++at) {
        facts.k_median = at->first;
        below += at->second;
    }
    if (veer_ms.count() > 0) {
        facts.p95_ms = veer_ms.quantile_ms(0.95);
        facts.pg_p95_ms = postgres_ms.quantile_ms(0.95);
    }
}

struct Served {
    std::shared_ptr<const router::Plan> plan;
    std::uint64_t veer = 0;
    std::uint64_t postgres = 0;

    std::uint64_t all() const { return veer + postgres; }
};

/// Of thousands of shapes, those that are shown.
std::vector<Served> most_served(const router::PlanCache& plans) {
    constexpr std::size_t shown_max = 200;
    std::vector<Served> all;
    for (auto& plan : plans.plans()) {
        if (!plan->is_search_or_call()) {
            continue;  // nobody's to see
        }
        const router::PlanTally& tally = *plan->tally;
        const Served one{
            .plan = plan,
            .veer = tally.veer.load(std::memory_order_relaxed),
            .postgres = tally.postgres.load(std::memory_order_relaxed)};
        if (one.all() > 0) {
            all.push_back(one);
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Served& left, const Served& right) {
        return left.all() > right.all();
    });
    all.resize(std::min(all.size(), shown_max));
    return all;
}

}  // namespace

void add_position(const std::vector<RouteView>& views, admin::RouteFacts& facts) {
    const auto found = std::find_if(views.begin(), views.end(), [&facts](const RouteView& each) {
        return each.route == facts.name;
    });
    if (found == views.end()) {
        return;
    }
    const RouteView& view = *found;
    facts.traffic = to_string(view.state);
    facts.desired_percent = view.desired;
    facts.allowed_percent = view.allowed;
    facts.effective_percent = view.effective;
    facts.why = view.why;
    facts.version = static_cast<std::int64_t>(view.revision);
    if (view.origin != router::cutover::Origin::file) {
        facts.source = std::string(to_string(view.origin));
    }
    facts.held = view.held;
    facts.since = microseconds(view.since);
    facts.next_step = view.next_step;
    facts.next_step_at = microseconds(view.next_step_at);
    facts.trial_until = microseconds(view.trial_until);
    facts.verdict = to_string(view.verdict);
    facts.obstacle = view.obstacle;
    if (view.lag) {
        facts.lag_ms = view.lag->count();
    }
}

std::vector<admin::StepFacts> steps_ahead(
    const RouteView& view,
    const std::vector<admin::GateFacts>& gates,
    const config::Config& config,
    Time now
) {
    std::vector<admin::StepFacts> rows;
    const config::Cutover& policy = config.cutover;
    const double rate = comparing_rate(view.evidence);
    const auto needed = policy.gated ? more_compared(view.route, gates) : std::optional(0UL);
    std::optional<Time> earliest = view.held ? std::nullopt : after(now, needed, rate);
    if (earliest && view.next_step_at) {
        earliest = std::max(*earliest, *view.next_step_at);
    }
    for (std::optional<double> step = view.next_step; step;
         step = router::cutover::step_above(policy.steps, *step)) {
        const bool first = rows.empty();
        const std::uint64_t anew = policy.gated ? config.gates.compared_min : 0;
        if (!first && earliest) {  // each step needs evidence of its own
            const auto compared = after(*earliest, anew, rate);
            earliest = compared ? std::optional(std::max(*compared, *earliest + policy.step_min))
                                : std::nullopt;
        }
        const bool stays = !first || view.state >= router::cutover::State::canary;
        rows.push_back(
            {.route = view.route,
             .percent = *step,
             .hold_seconds =
                 stays ? std::chrono::duration_cast<std::chrono::seconds>(policy.step_min).count()
                       : 0,
             .compared = first ? needed : std::optional(anew),
             .earliest = microseconds(earliest),
             .obstacle = first && policy.gated ? view.obstacle : std::string()}
        );
    }
    return rows;
}

void add_cutover(
    const router::cutover::Control& control,
    const std::vector<RouteView>& views,
    const config::Config& config,
    Time now,
    admin::Snapshot& snapshot
) {
    for (const auto& view : control.gates()) {
        snapshot.gates.push_back(to_facts(view));
    }
    for (const auto& view : control.guards()) {
        snapshot.guards.push_back(to_facts(view));
    }
    for (const auto& view : control.rule_views()) {
        snapshot.rules.push_back(to_facts(view));
    }
    for (router::cutover::AuditRecord& record : control.audit()) {
        snapshot.audit.push_back(to_facts(std::move(record)));
    }
    std::reverse(snapshot.audit.begin(), snapshot.audit.end());
    for (const RouteView& view : views) {
        for (admin::StepFacts& step : steps_ahead(view, snapshot.gates, config, now)) {
            snapshot.steps.push_back(std::move(step));
        }
    }
    for (admin::GateFacts& gate : snapshot.gates) {
        const auto view = std::find_if(views.begin(), views.end(), [&gate](const RouteView& each) {
            return each.route == gate.route;
        });
        if (view != views.end() && gate.verdict != "pass") {
            gate.eta = microseconds(after(now, gate.more_needed, comparing_rate(view->evidence)));
        }
    }
    for (admin::RouteFacts& route : snapshot.routes) {
        for (const double step : config.cutover.steps) {
            route.step = step <= route.allowed_percent ? std::optional(step) : route.step;
        }
        if (!config.cutover.gated) {
            route.obstacle.clear();  // a raise by command is told of it, not refused
        }
        for (const admin::GateFacts& gate : snapshot.gates) {
            if (gate.route == route.name && gate.gate == "recall" && gate.samples > 0) {
                route.recall = gate.value;
                route.recall_bound = gate.bound;
            }
        }
    }
}

void add_queries(
    const router::PlanCache& plans,
    const router::RouteTable& routes,
    const std::vector<router::compare::ShapeRecord>& shapes,
    admin::Snapshot& snapshot
) {
    constexpr std::size_t sql_bytes_max = 300;
    for (const Served& served : most_served(plans)) {
        const router::Plan& plan = *served.plan;
        admin::QueryFacts facts{
            .fingerprint = router::cutover::shape_text(plan.shape_id),
            .sql = shown_shape(plan.shape, sql_bytes_max),
            .eligible = plan.query() != nullptr,
            .veer = served.veer,
            .postgres = served.postgres,
            .fallbacks = plan.tally->fallbacks.load(std::memory_order_relaxed)};
        if (const char* const reason = plan.tally->last_reason.load(std::memory_order_relaxed)) {
            facts.reason = reason;
        }
        if (const auto* const query = plan.query()) {
            if (const router::Route* const route = routes.find(*query)) {
                facts.route = route->name;
                facts.quarantined = route->traffic->quarantined(plan.shape_id);
            }
            facts.filtered = query->clauses.condition.has_value();
        }
        add_compared(shapes, plan.shape_id, facts);
        snapshot.queries.push_back(std::move(facts));
    }
}

void add_comparisons(const router::compare::Ledger& ledger, admin::Snapshot& snapshot) {
    for (const RouteRecord& record : ledger.records()) {
        const RouteStatistics& all = record.statistics;
        const About route{.route = record.route};
        snapshot.comparisons.push_back(to_facts(record));
        add_recall(route, "veer", "exact", all.recall, snapshot.recalls);
        add_recall(route, "postgres", "exact", all.pg_recall, snapshot.recalls);
        add_recall(route, "veer", "best of both", all.pooled_recall, snapshot.recalls);
        add_latency(route, "veer", "paired", all.veer_ms, snapshot.latencies);
        add_latency(route, "postgres", "paired", all.postgres_ms, snapshot.latencies);
        add_latency(route, "postgres", "round trip", all.round_trip_ms, snapshot.latencies);
        add_latency(route, "veer", "served", all.served_veer_ms, snapshot.latencies);
        add_latency(route, "postgres", "served", all.served_postgres_ms, snapshot.latencies);
    }
    const auto kept = ledger.mismatches();
    for (auto at = kept.rbegin(); at != kept.rend(); ++at) {
        snapshot.mismatches.push_back(to_facts(**at));
    }
}

void add_shapes(
    const std::vector<router::compare::ShapeRecord>& records, admin::Snapshot& snapshot
) {
    for (const router::compare::ShapeRecord& shape : records) {
        const About these{
            .route = shape.route,
            .fingerprint = router::cutover::shape_text(shape.shape),
            .k = shape.k};
        add_recall(these, "veer", "exact", shape.recall, snapshot.recalls);
        add_recall(these, "postgres", "exact", shape.pg_recall, snapshot.recalls);
        add_recall(these, "veer", "best of both", shape.pooled_recall, snapshot.recalls);
        add_latency(these, "veer", "paired", shape.veer_ms, snapshot.latencies);
        add_latency(these, "postgres", "paired", shape.postgres_ms, snapshot.latencies);
    }
}

bool has_share(const std::vector<router::cutover::RouteView>& views, const std::string& route) {
    return std::any_of(views.begin(), views.end(), [&route](const RouteView& each) {
        return each.route == route && each.desired > 0;
    });
}

}  // namespace veer::proxy
