#include "router/compare/relations.hpp"

#include "router/compare/report.hpp"
#include "router/cutover/evidence.hpp"
#include "router/cutover/rules.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <sstream>

namespace veer::router::compare {

namespace {

std::string decimals(double value, int count) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f", count, value);
    return buffer;
}

}  // namespace

std::string classes_text(const RouteStatistics& statistics, Severity severity) {
    std::string text;
    for (std::size_t i = 0; i < difference_count; ++i) {
        const auto difference = static_cast<Difference>(i);
        if (severity_of(difference) == severity && statistics.with.at(i) > 0) {
            text += text.empty() ? "" : ", ";
            text +=
                std::string(to_string(difference)) + ' ' + std::to_string(statistics.with.at(i));
        }
    }
    return text;
}

std::string recall_text(const RecallHistogram& recall) {
    return recall.count() == 0 ? "" : decimals(recall.mean(), 4);
}

std::string quantile_text(const LatencyHistogram& latency, double quantile) {
    return latency.count() == 0 ? "" : decimals(latency.quantile_ms(quantile), 3);
}

std::string time_text(std::int64_t microseconds) {
    const std::time_t seconds = microseconds / 1'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char buffer[32];
    const std::size_t length = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%S", &parts);
    char fraction[16];
    std::snprintf(
        fraction, sizeof fraction, ".%03dZ", static_cast<int>(microseconds / 1000 % 1000)
    );
    return std::string(buffer, length) + fraction;
}

std::string fingerprint(std::string_view shape) {
    return cutover::shape_text(cutover::shape_id(shape));
}

const std::vector<std::string>& compare_columns() {
    static const std::vector<std::string> columns = {
        "route",     "sampled",     "compared",   "judged",           "repeated", "shed",
        "shed_why",  "failed",      "excluded",   "excluded_classes", "equal",    "veer_missed",
        "pg_missed", "both_missed", "veer_short", "pg_short",         "hard",     "hard_classes",
        "recall",    "pg_recall",   "p50_ms",     "pg_p50_ms",        "p99_ms",   "pg_p99_ms",
        "overlap",   "rbo",         "dist_ratio", "tolerance_matters"};
    return columns;
}

std::vector<std::vector<std::string>> compare_rows(const std::vector<RouteRecord>& records) {
    std::vector<std::vector<std::string>> rows;
    for (const RouteRecord& record : records) {
        const RouteStatistics& all = record.statistics;
        const auto with = [&all](Difference difference) {
            return std::to_string(all.with.at(static_cast<std::size_t>(difference)));
        };
        const auto mean = [&all](double value) {
            return all.counted() == 0 ? std::string() : decimals(value, 4);
        };
        rows.push_back(
            {record.route,
             std::to_string(record.sampled),
             std::to_string(all.compared),
             std::to_string(all.judged),
             std::to_string(record.repeated),
             std::to_string(record.shed),
             record.shed_why,
             std::to_string(record.failed),
             std::to_string(all.excluded),
             classes_text(all, Severity::excluded),
             std::to_string(all.count(Severity::equal)),
             with(Difference::veer_missed),
             with(Difference::pg_missed),
             with(Difference::both_missed),
             with(Difference::veer_short),
             with(Difference::pg_short),
             std::to_string(all.count(Severity::hard)),
             classes_text(all, Severity::hard),
             recall_text(all.recall),
             recall_text(all.pg_recall),
             quantile_text(all.veer_ms, 0.5),
             quantile_text(all.postgres_ms, 0.5),
             quantile_text(all.veer_ms, 0.99),
             quantile_text(all.postgres_ms, 0.99),
             mean(all.mean_overlap()),
             mean(all.mean_rank_overlap()),
             mean(all.mean_distance_ratio()),
             std::to_string(all.tolerance_matters)}
        );
    }
    return rows;
}

const std::vector<std::string>& mismatch_columns() {
    static const std::vector<std::string> columns = {
        "id",
        "taken",
        "route",
        "fingerprint",
        "class",
        "severity",
        "k",
        "served_by",
        "judged",
        "recall",
        "pg_recall",
        "dist_ratio",
        "ef_search",
        "ms",
        "pg_ms",
        "applied_lsn",
        "pg_lsn"};
    return columns;
}

std::vector<std::vector<std::string>> mismatch_rows(
    const std::vector<std::shared_ptr<const Mismatch>>& mismatches
) {
    std::vector<std::vector<std::string>> rows;
    for (auto at = mismatches.rbegin(); at != mismatches.rend(); ++at) {
        const Mismatch& one = **at;
        const Judgement& judgement = one.judgement;
        rows.push_back(
            {std::to_string(one.id),
             time_text(one.taken_us),
             one.route,
             fingerprint(one.shape),
             std::string(to_string(judgement.verdict)),
             std::string(to_string(severity_of(judgement.verdict))),
             std::to_string(judgement.k),
             one.durations.served_by_veer ? "veer" : "postgres",
             judgement.judged ? "yes" : "no",
             decimals(judgement.recall, 4),
             judgement.judged ? decimals(judgement.pg_recall, 4) : "",
             decimals(judgement.distance_ratio, 4),
             std::to_string(one.ef_search),
             decimals(one.durations.veer, 3),
             decimals(one.durations.postgres, 3),
             storage::to_string(one.applied),
             storage::to_string(one.pg_lsn)}
        );
    }
    return rows;
}

std::optional<Relation> relation(const Ledger& ledger, std::string_view name) {
    if (name == "compare") {
        return Relation{compare_columns(), compare_rows(ledger.records())};
    }
    if (name == "mismatches") {
        return Relation{mismatch_columns(), mismatch_rows(ledger.mismatches())};
    }
    if (!name.starts_with("report")) {
        return std::nullopt;
    }
    Relation report{{"report"}, {}};
    constexpr std::string_view since = " since ";
    const std::size_t at = name.find(since);
    const std::optional<std::int64_t> from =
        at == std::string_view::npos ? std::nullopt : parse_time(name.substr(at + since.size()));
    if (at != std::string_view::npos && !from) {
        return std::nullopt;
    }
    name = name.substr(0, at);
    const Report made = from ? report_since(ledger, *from) : report_of(ledger);
    if (name == "report_json") {
        report.rows = {{report_json(made)}};
        return report;
    }
    if (name == "report_html") {
        report.rows = {{report_html(made)}};
        return report;
    }
    if (name != "report") {
        return std::nullopt;
    }
    std::istringstream text(report_text(made));
    for (std::string line; std::getline(text, line);) {
        report.rows.push_back({line});
    }
    return report;
}

}  // namespace veer::router::compare
