#include "router/compare/relations.hpp"
#include "router/compare/report.hpp"
#include "router/cutover/rules.hpp"

#include <cstdio>

namespace veer::router::compare {

namespace {

/// Writes JSON, comma by comma.
class Writer {
  public:
    std::string text;

    void open(char bracket) {
        separate();
        text += bracket;
        first_ = true;
    }

    void close(char bracket) {
        text += bracket;
        first_ = false;
    }

    void name(std::string_view key) {
        string(key);
        text += ':';
        first_ = true;
    }

    void string(std::string_view value) {
        separate();
        text += '"';
        for (const char c : value) {
            if (c == '"' || c == '\\') {
                text += '\\';
                text += c;
            } else if (static_cast<unsigned char>(c) < 0x20) {
                char escape[8];
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
                text += escape;
            } else {
                text += c;
            }
        }
        text += '"';
    }

    void number(double value) {
        separate();
        char buffer[64];
        std::snprintf(buffer, sizeof buffer, "%.10g", value);
        text += buffer;
    }

    void field(std::string_view key, std::string_view value) {
        name(key);
        string(value);
    }

    void field(std::string_view key, double value) {
        name(key);
        number(value);
    }

  private:
    void separate() {
        text += first_ ? "" : ",";
        first_ = false;
    }

    bool first_ = true;
};

void write_recall(Writer& out, std::string_view key, const RecallHistogram& recall) {
    out.name(key);
    out.open('{');
    out.field("samples", static_cast<double>(recall.count()));
    if (recall.count() > 0) {
        out.field("mean", recall.mean());
        out.field("share_perfect", recall.share_perfect());
        out.field("share_below_50", recall.share_below(0.5));
    }
    out.name("histogram");
    out.open('[');
    for (const std::uint64_t count : recall.counts()) {
        out.number(static_cast<double>(count));
    }
    out.close(']');
    out.close('}');
}

void write_latency(Writer& out, std::string_view key, const LatencyHistogram& latency) {
    out.name(key);
    out.open('{');
    out.field("samples", static_cast<double>(latency.count()));
    for (const auto& [name, quantile] :
         {std::pair{"p50_ms", 0.5}, {"p90_ms", 0.9}, {"p95_ms", 0.95}, {"p99_ms", 0.99}}) {
        out.field(name, latency.quantile_ms(quantile));
    }
    out.field("max_ms", latency.max_ms());
    out.close('}');
}

void write_differences(Writer& out, const RouteStatistics& all) {
    out.name("differences");
    out.open('{');
    for (std::size_t i = 0; i < difference_count; ++i) {
        out.field(difference_names.at(i), static_cast<double>(all.with.at(i)));
    }
    out.close('}');
}

void write_route(Writer& out, const RouteRecord& record, const Targets& targets) {
    const RouteStatistics& all = record.statistics;
    const Assessment assessment = assess(record, targets);
    out.open('{');
    out.field("route", record.route);
    out.field("verdict", to_string(assessment.verdict));
    out.field("sentence", assessment.sentence);
    if (record.since_us) {
        out.field("since", time_text(*record.since_us));
    }
    out.field("sampled", static_cast<double>(record.sampled));
    out.field("repeated", static_cast<double>(record.repeated));
    out.field("shed", static_cast<double>(record.shed));
    out.field("shed_why", record.shed_why);
    out.field("failed", static_cast<double>(record.failed));
    out.field("compared", static_cast<double>(all.compared));
    out.field("judged", static_cast<double>(all.judged));
    out.field("excluded", static_cast<double>(all.excluded));
    out.field("hard", static_cast<double>(all.count(Severity::hard)));
    out.field("tolerance_matters", static_cast<double>(all.tolerance_matters));
    out.field("overlap", all.mean_overlap());
    out.field("rbo", all.mean_rank_overlap());
    out.field("dist_ratio", all.mean_distance_ratio());
    out.field("first_lsn", storage::to_string(all.first_lsn));
    out.field("last_lsn", storage::to_string(all.last_lsn));
    write_differences(out, all);
    write_recall(out, "recall", all.recall);
    write_recall(out, "pg_recall", all.pg_recall);
    write_recall(out, "pooled_recall", all.pooled_recall);
    write_latency(out, "veer", all.veer_ms);
    write_latency(out, "postgres", all.postgres_ms);
    write_latency(out, "round_trip", all.round_trip_ms);
    write_latency(out, "served_by_veer", all.served_veer_ms);
    write_latency(out, "served_by_postgres", all.served_postgres_ms);
    out.close('}');
}

}  // namespace

std::string report_json(const Report& report) {
    Writer out;
    out.open('{');
    out.field("veer", report.version);
    out.field("taken", time_text(report.taken_us));
    out.field("exit_code", exit_code(report));
    out.name("routes");
    out.open('[');
    for (const RouteRecord& record : report.routes) {
        write_route(out, record, report.targets);
    }
    out.close(']');
    out.name("shapes");
    out.open('[');
    for (const ShapeRecord& shape : report.shapes) {
        out.open('{');
        out.field("route", shape.route);
        out.field("fingerprint", cutover::shape_text(shape.shape));
        out.field("k", static_cast<double>(shape.k));
        write_recall(out, "recall", shape.recall);
        write_recall(out, "pg_recall", shape.pg_recall);
        write_latency(out, "veer", shape.veer_ms);
        write_latency(out, "postgres", shape.postgres_ms);
        out.close('}');
    }
    out.close(']');
    out.name("mismatches");
    out.open('[');
    for (const auto& one : report.mismatches) {
        out.open('{');
        out.field("id", static_cast<double>(one->id));
        out.field("taken", time_text(one->taken_us));
        out.field("route", one->route);
        out.field("fingerprint", fingerprint(one->shape));
        out.field("class", to_string(one->judgement.verdict));
        out.field("severity", to_string(severity_of(one->judgement.verdict)));
        out.field("k", static_cast<double>(one->judgement.k));
        out.field("recall", one->judgement.recall);
        out.field("pg_recall", one->judgement.pg_recall);
        out.field("dist_ratio", one->judgement.distance_ratio);
        out.field("ef_search", static_cast<double>(one->ef_search));
        out.close('}');
    }
    out.close(']');
    out.close('}');
    return out.text + '\n';
}

}  // namespace veer::router::compare
