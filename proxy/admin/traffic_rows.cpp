#include "proxy/admin/relation_rows.hpp"
#include "proxy/admin/row_values.hpp"

// Rows of what cutovers rest on, and of what comparisons came to.

namespace veer::proxy::admin::rows {

namespace {

/// Which side of its threshold a gate wants.
std::string direction(const std::string& gate) {
    const bool at_most = gate == "slow_share" || gate == "hard" || gate == "noise" || gate == "age";
    return at_most ? "<=" : ">=";
}

/// What a guard looks at, and so what it can be wrong about.
std::string scope(const std::string& guard) {
    if (guard == "correctness") {
        return "shape";
    }
    const bool server = guard == "lag" || guard == "wal_retained" || guard == "pg_pressure";
    return server ? "server" : guard == "memory" ? "process" : "route";
}

Value moment(const std::optional<std::int64_t>& value) {
    return value ? Value(Timestamp{*value}) : Value{};
}

/// Of "canary 25", as the audit has positions.
Value percent_of(const std::string& position) {
    const std::size_t space = position.rfind(' ');
    const auto number = space == std::string::npos
                            ? std::nullopt
                            : from_text(position.substr(space + 1), Type::number);
    return number.value_or(Value{});
}

}  // namespace

std::vector<Row> gates(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const GateFacts& gate : snapshot.gates) {
        rows.push_back(
            {gate.route,
             gate.gate,
             gate.value,
             gate.bound,
             gate.threshold,
             direction(gate.gate),
             count(gate.samples),
             gate.evidence,
             gate.verdict,
             known(gate.more_needed),
             moment(gate.eta)}
        );
    }
    return rows;
}

std::vector<Row> guards(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const GuardFacts& guard : snapshot.guards) {
        rows.push_back(
            {guard.route,
             guard.guard,
             guard.kind,
             guard.value,
             guard.trip,
             guard.clear,
             guard.state,
             guard.action,
             count(guard.trips),
             scope(guard.guard),
             moment(guard.since),
             count(guard.trips_of_a_day)}
        );
    }
    return rows;
}

std::vector<Row> rules(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const RuleFacts& rule : snapshot.rules) {
        rows.push_back(
            {rule.rule,
             known(rule.route),
             rule.match,
             rule.effect,
             count(rule.hits),
             known(rule.comment),
             rule.active,
             moment(rule.last_hit)}
        );
    }
    return rows;
}

std::vector<Row> audit(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const AuditFacts& record : snapshot.audit) {
        rows.push_back(
            {count(record.seq),
             Timestamp{record.at},
             record.actor,
             record.via,
             record.action,
             known(record.route),
             count(record.version),
             known(record.from),
             known(record.to),
             known(record.reason),
             known(record.verdict),
             known(record.previous),
             percent_of(record.from),
             percent_of(record.to),
             known(record.hash)}
        );
    }
    return rows;
}

std::vector<Row> plan(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const StepFacts& step : snapshot.steps) {
        rows.push_back(
            {step.route,
             step.percent,
             step.hold_seconds,
             known(step.compared),
             step.earliest ? Value(Timestamp{*step.earliest}) : Value{},
             known(step.obstacle)}
        );
    }
    return rows;
}

std::vector<Row> queries(const Snapshot& snapshot) {
    double total = 0;
    for (const QueryFacts& shape : snapshot.queries) {
        total += static_cast<double>(shape.veer + shape.postgres);
    }
    std::vector<Row> rows;
    for (const QueryFacts& shape : snapshot.queries) {
        const std::uint64_t calls = shape.veer + shape.postgres;
        rows.push_back(
            {shape.fingerprint,
             known(shape.route),
             shape.sql,
             count(calls),
             total > 0 ? static_cast<double>(calls) / total : 0.0,
             shape.eligible,
             known(shape.reason),
             count(shape.veer),
             count(shape.postgres),
             count(shape.fallbacks),
             shape.quarantined,
             known(shape.k_median),
             shape.filtered,
             known(shape.recall),
             known(shape.pg_recall),
             known(shape.p95_ms),
             known(shape.pg_p95_ms)}
        );
    }
    return rows;
}

std::vector<Row> compare(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const CompareFacts& all : snapshot.comparisons) {
        rows.push_back(
            {all.route,
             count(all.sampled),
             count(all.compared),
             count(all.judged),
             count(all.repeated),
             count(all.shed),
             known(all.shed_why),
             count(all.failed),
             known(all.trouble),
             count(all.excluded),
             known(all.excluded_classes),
             count(all.equal),
             count(all.ties),
             count(all.veer_missed),
             count(all.pg_missed),
             count(all.both_missed),
             count(all.veer_short),
             count(all.pg_short),
             count(all.hard),
             known(all.hard_classes),
             known(all.overlap),
             known(all.rank_overlap),
             known(all.distance_ratio),
             count(all.tolerance_matters),
             std::string("since the start")}
        );
    }
    return rows;
}

std::vector<Row> recall(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const RecallFacts& facts : snapshot.recalls) {
        rows.push_back(
            {facts.route,
             facts.engine,
             facts.judge,
             count(facts.samples),
             facts.mean,
             facts.p10,
             facts.p1,
             facts.share_perfect,
             facts.share_below_50,
             known(facts.fingerprint),
             known(facts.k),
             facts.lower_99 ? Value(facts.lower_99()) : Value{}}
        );
    }
    return rows;
}

std::vector<Row> latency(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const LatencyFacts& facts : snapshot.latencies) {
        rows.push_back(
            {facts.route,
             facts.engine,
             facts.kind,
             count(facts.count),
             facts.p50_ms,
             facts.p90_ms,
             facts.p95_ms,
             facts.p99_ms,
             facts.max_ms,
             known(facts.fingerprint),
             known(facts.k)}
        );
    }
    return rows;
}

std::vector<Row> mismatches(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const MismatchFacts& facts : snapshot.mismatches) {
        rows.push_back(
            {count(facts.id),
             Timestamp{facts.at},
             facts.route,
             facts.fingerprint,
             facts.difference,
             known(facts.payload),
             facts.severity,
             count(facts.k),
             std::string(facts.served_by_veer ? "veer" : "postgres"),
             facts.judged,
             facts.recall,
             facts.judged ? Value(facts.pg_recall) : Value{},
             facts.distance_ratio,
             std::int64_t{facts.ef_search},
             facts.ms,
             facts.pg_ms,
             facts.applied_lsn,
             facts.pg_lsn,
             known(facts.noise)}
        );
    }
    return rows;
}

std::vector<Row> receipts(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const ReceiptFacts& facts : snapshot.receipts) {
        rows.push_back(
            {Timestamp{facts.at},
             facts.route,
             facts.engine,
             facts.reason,
             known(facts.key),
             known(facts.role),
             known(facts.application),
             facts.fingerprint,
             facts.percent,
             facts.bucket_percent,
             known(facts.ms),
             facts.sampled}
        );
    }
    return rows;
}

std::vector<Row> ignored(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const IgnoredFacts& facts : snapshot.ignored) {
        rows.push_back(
            {facts.difference,
             facts.fingerprint,
             Timestamp{facts.until},
             facts.reason,
             facts.by,
             count(facts.hits)}
        );
    }
    return rows;
}

}  // namespace veer::proxy::admin::rows
