#include "router/compare/plot.hpp"
#include "router/compare/relations.hpp"
#include "router/compare/report.hpp"
#include "router/cutover/rules.hpp"

#include <cstdio>

namespace veer::router::compare {

namespace {

constexpr const char* style = R"(
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem;color:#1c1b1a;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.1rem;margin:2rem 0 .3rem;border-top:1px solid #ccc;padding-top:1rem}
h3{font-size:.95rem;margin:1rem 0 .2rem}
table{border-collapse:collapse;margin:.4rem 0}td,th{padding:.15rem .7rem .15rem 0;text-align:left;vertical-align:top}
th{font-weight:600;border-bottom:1px solid #bbb}td.n{text-align:right;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}
svg{width:100%;height:auto}svg text{font-size:10px;fill:#444}.axis{stroke:#444}.grid{stroke:#e3e3e3}
.pass{color:#0b6e4f}.fail{color:#b3261e}.inconclusive{color:#8a5a00}.note{color:#555;font-size:.85rem}
@media print{body{max-width:none}}
)";

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '&':
                safe += "&amp;";
                break;
            case '"':
                safe += "&quot;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

std::string cell(std::string_view text) {
    return "<td>" + escaped(text) + "</td>";
}

std::string number(const std::string& text) {
    return "<td class=\"n\">" + escaped(text) + "</td>";
}

std::string fixed(double value, int count) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f", count, value);
    return buffer;
}

std::string checks_table(const Assessment& assessment) {
    std::string html = "<table><tr><th>check<th>value<th>need<th>verdict</tr>";
    for (const Check& check : assessment.checks) {
        const std::string verdict(to_string(check.verdict));
        html += "<tr>" + cell(check.name) + number(check.value) + cell(check.need);
        html += "<td class=\"";
        html += verdict;
        html += "\">";
        html += verdict;
        html += "</td></tr>";
    }
    return html + "</table>";
}

std::string latency_table(const RouteStatistics& all) {
    std::string html =
        "<table><tr><th>milliseconds<th>searches<th>p50<th>p90<th>p95<th>p99<th>most</tr>";
    const auto row = [&html](const char* name, const LatencyHistogram& latency) {
        if (latency.count() == 0) {
            return;
        }
        html += "<tr>" + cell(name) + number(std::to_string(latency.count()));
        for (const double quantile : {0.5, 0.9, 0.95, 0.99, 1.0}) {
            html += number(quantile_text(latency, quantile));
        }
        html += "</tr>";
    };
    row("veer, same searches", all.veer_ms);
    row("pgvector, same searches", all.postgres_ms);
    row("of which round trip", all.round_trip_ms);
    row("clients served by veer", all.served_veer_ms);
    row("clients served by Postgres", all.served_postgres_ms);
    return html + "</table>";
}

std::string difference_table(const RouteStatistics& all) {
    std::string html = "<table><tr><th>no.<th>class<th>kind<th>searches</tr>";
    for (std::size_t i = 0; i < difference_count; ++i) {
        const auto difference = static_cast<Difference>(i);
        const Severity severity = severity_of(difference);
        const char* const kind = severity == Severity::loss          ? "veer worse"
                                 : severity == Severity::improvement ? "veer better"
                                 : severity == Severity::hard        ? "wrong"
                                 : severity == Severity::excluded    ? "excluded"
                                                                     : "equal";
        html += "<tr>" + number(std::to_string(i + 1)) + cell(to_string(difference)) + cell(kind) +
                number(std::to_string(all.with.at(i))) + "</tr>";
    }
    return html + "</table>";
}

std::string mismatch_table(const Report& report, const std::string& route) {
    const auto ten = worst(report, route, 10);
    if (ten.empty()) {
        return {};
    }
    std::string html =
        "<h3>The ten worst</h3><table><tr><th>id<th>taken<th>class<th>k<th>recall"
        "<th>pgvector<th>distance ratio<th>shape<th>to look at it</tr>";
    for (const auto& one : ten) {
        const Judgement& judgement = one->judgement;
        html += "<tr>" + number(std::to_string(one->id)) + cell(time_text(one->taken_us)) +
                cell(to_string(judgement.verdict)) + number(std::to_string(judgement.k)) +
                number(fixed(judgement.recall, 3)) + number(fixed(judgement.pg_recall, 3)) +
                number(fixed(judgement.distance_ratio, 4)) + cell(fingerprint(one->shape)) +
                cell("veer mismatch " + std::to_string(one->id)) + "</tr>";
    }
    return html + "</table>";
}

std::string shape_table(const Report& report, const std::string& route) {
    const auto ten = losses(report, route, 10);
    if (ten.empty()) {
        return {};
    }
    std::string html =
        "<h3>Shapes of searches, by neighbours missed</h3><table><tr><th>shape<th>k<th>judged"
        "<th>recall<th>pgvector<th>missed<th>by pgvector<th>veer p95 ms<th>pgvector p95 ms</tr>";
    for (const ShapeLoss& one : ten) {
        const ShapeRecord& shape = *one.shape;
        html += "<tr>" + cell(cutover::shape_text(shape.shape)) + number(std::to_string(shape.k)) +
                number(std::to_string(shape.recall.count())) + number(recall_text(shape.recall)) +
                number(recall_text(shape.pg_recall)) + number(fixed(one.lost, 0)) +
                number(fixed(one.pg_lost, 0)) + number(quantile_text(shape.veer_ms, 0.95)) +
                number(quantile_text(shape.postgres_ms, 0.95)) + "</tr>";
    }
    return html + "</table>";
}

std::string section(const Report& report, const RouteRecord& record) {
    const RouteStatistics& all = record.statistics;
    const Assessment assessment = assess(record, report.targets);
    const std::string verdict(to_string(assessment.verdict));
    std::string html = "<section><h2>" + escaped(record.route) + "</h2><p class=\"" + verdict +
                       "\"><strong>" + verdict + "</strong>. " + escaped(assessment.sentence) +
                       "</p>" + checks_table(assessment);
    html +=
        "<div class=\"plots\"><div><h3>Recall per search (solid: veer, hollow: pgvector)</h3>" +
        recall_plot(all) + "</div><div><h3>Answered within (solid: veer, dashed: pgvector)</h3>" +
        latency_plot(all) + "</div><div><h3>Differences (above: veer better, below: worse)</h3>" +
        difference_plot(all) + "</div></div>";
    html += latency_table(all) + difference_table(all) + shape_table(report, record.route) +
            mismatch_table(report, record.route);
    html += "<p class=\"note\">" +
            (record.since_us ? "Since " + time_text(*record.since_us) + ": " : std::string()) +
            std::to_string(record.sampled) + " searches chosen, " + std::to_string(all.compared) +
            " compared, " + std::to_string(all.judged) + " of them judged by the exact answer; " +
            std::to_string(record.repeated) + " repeated, " + std::to_string(record.shed) +
            " shed" + (record.shed_why.empty() ? "" : " (" + record.shed_why + ")") + ", " +
            std::to_string(record.failed) + " failed. " + std::to_string(all.excluded) +
            " excluded because rows were changing; " + std::to_string(all.tolerance_matters) +
            " depend on the tolerance for float error. Overlap " + fixed(all.mean_overlap(), 4) +
            ", rank-biased overlap " + fixed(all.mean_rank_overlap(), 4) + ", distance ratio " +
            fixed(all.mean_distance_ratio(), 4) + ". WAL " + storage::to_string(all.first_lsn) +
            " to " + storage::to_string(all.last_lsn) + ".</p></section>";
    return html;
}

}  // namespace

std::string report_html(const Report& report) {
    std::string html =
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>veer report</title><style>" +
        std::string(style) +
        "</style></head><body><h1>Is veer's answer as good as pgvector's?</h1><p class=\"note\">"
        "veer " +
        escaped(report.version) + ", " + time_text(report.taken_us) +
        ". Each search was put to veer, to pgvector with the same ef_search, and to an exact "
        "comparison with every row. Recall counts the rows of an answer that are no farther than "
        "the exact answer's last one.</p>";
    bool any = false;
    for (const RouteRecord& record : report.routes) {
        if (record.statistics.compared > 0) {
            html += section(report, record);
            any = true;
        }
    }
    html += any ? "" : "<p>Nothing has been compared yet.</p>";
    return html + "</body></html>\n";
}

}  // namespace veer::router::compare
