#include "router/compare/report.hpp"

#include "router/compare/relations.hpp"
#include "router/cutover/rules.hpp"

#include <algorithm>
#include <cstdio>

namespace veer::router::compare {

namespace {

/// Of what is shown one by one.
constexpr std::size_t shown_max = 10;

std::string decimals(double value, int count) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f", count, value);
    return buffer;
}

std::string percent(double share) {
    return decimals(100 * share, 1) + " %";
}

Verdict worse(Verdict a, Verdict b) {
    const auto rank = [](Verdict verdict) {
        return verdict == Verdict::fail ? 2 : verdict == Verdict::inconclusive ? 1 : 0;
    };
    return rank(a) >= rank(b) ? a : b;
}

Verdict when(bool holds, Verdict otherwise) {
    return holds ? Verdict::pass : otherwise;
}

std::string sentence_of(const RouteRecord& record, const Assessment& assessment) {
    const RouteStatistics& all = record.statistics;
    const std::string recall = "recall " + recall_text(all.recall) + ", pgvector " +
                               recall_text(all.pg_recall) + " on the same searches";
    switch (assessment.verdict) {
        case Verdict::pass:
            return "As good as it has to be: " + recall + ".";
        case Verdict::fail:
            return all.count(Severity::hard) > 0
                       ? "Wrong answers: " + classes_text(all, Severity::hard) + "."
                       : "Not good enough: " + recall + ".";
        case Verdict::inconclusive:
            return "Not enough evidence yet: " + std::to_string(all.judged) +
                   " searches judged by the exact answer.";
    }
    return {};
}

std::string sample_text(const RouteRecord& record) {
    const RouteStatistics& all = record.statistics;
    const std::string span =
        storage::to_string(all.first_lsn) + " to " + storage::to_string(all.last_lsn);
    if (record.since_us) {
        return std::to_string(all.compared) + " compared since " + time_text(*record.since_us) +
               "; " + span;
    }
    return std::to_string(record.sampled) + " chosen, " + std::to_string(all.compared) +
           " compared, " + std::to_string(record.repeated) + " repeated, " +
           std::to_string(record.shed) + " shed" +
           (record.shed_why.empty() ? "" : " (" + record.shed_why + ")") + ", " +
           std::to_string(record.failed) + " failed; " + span;
}

}  // namespace

Report report_of(const Ledger& ledger) {
    return {
        .version = VEER_VERSION,
        .taken_us = ledger.last_us(),
        .targets = ledger.targets(),
        .routes = ledger.records(),
        .mismatches = ledger.mismatches(),
        .shapes = ledger.shapes()};
}

Report report_since(const Ledger& ledger, std::int64_t from_us) {
    Report report = report_of(ledger);
    report.routes = ledger.records_since(from_us);
    report.shapes.clear();
    std::erase_if(report.mismatches, [from_us](const auto& one) {
        return one->taken_us < from_us;
    });
    return report;
}

Assessment assess(const RouteRecord& record, const Targets& targets) {
    const RouteStatistics& all = record.statistics;
    const double recall = all.recall.mean();
    const double lead = recall - all.pg_recall.mean();
    const bool enough = all.judged >= targets.judged;
    const Verdict otherwise = enough ? Verdict::fail : Verdict::inconclusive;
    Assessment made;
    made.checks = {
        {"wrong answers",
         std::to_string(all.count(Severity::hard)),
         "0",
         when(all.count(Severity::hard) == 0, Verdict::fail)},
        {"judged searches",
         std::to_string(all.judged),
         ">= " + std::to_string(targets.judged),
         when(enough, Verdict::inconclusive)},
        {"recall@k",
         recall_text(all.recall),
         ">= " + decimals(targets.recall, 3),
         when(recall >= targets.recall, otherwise)},
        {"recall above pgvector's",
         decimals(lead, 4),
         ">= -" + decimals(targets.pg_margin, 3),
         when(lead >= -targets.pg_margin, otherwise)},
        {"excluded (rows in motion)",
         percent(all.excluded_share()),
         "<= " + percent(targets.excluded_share),
         when(all.excluded_share() <= targets.excluded_share, Verdict::inconclusive)}};
    for (const Check& check : made.checks) {
        made.verdict = worse(made.verdict, check.verdict);
    }
    made.sentence = sentence_of(record, made);
    return made;
}

int exit_code(const Report& report) {
    Verdict verdict = Verdict::pass;
    bool any = false;
    for (const RouteRecord& record : report.routes) {
        if (record.statistics.compared > 0) {
            any = true;
            verdict = worse(verdict, assess(record, report.targets).verdict);
        }
    }
    if (!any || verdict == Verdict::inconclusive) {
        return 2;
    }
    return verdict == Verdict::fail ? 1 : 0;
}

std::vector<std::shared_ptr<const Mismatch>> worst(
    const Report& report, const std::string& route, std::size_t count
) {
    std::vector<std::shared_ptr<const Mismatch>> found;
    for (const auto& each : report.mismatches) {
        const Severity severity = severity_of(each->judgement.verdict);
        if (each->route == route && severity != Severity::improvement) {
            found.push_back(each);
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        const auto hard = [](const Mismatch& one) {
            return severity_of(one.judgement.verdict) == Severity::hard;
        };
        return hard(*a) != hard(*b) ? hard(*a) : a->judgement.recall < b->judgement.recall;
    });
    found.resize(std::min(found.size(), count));
    return found;
}

std::vector<ShapeLoss> losses(const Report& report, const std::string& route, std::size_t count) {
    std::vector<ShapeLoss> found;
    for (const ShapeRecord& shape : report.shapes) {
        if (shape.route == route && shape.recall.count() > 0) {
            const auto neighbours =
                static_cast<double>(shape.k) * static_cast<double>(shape.recall.count());
            found.push_back(
                {.shape = &shape,
                 .lost = neighbours * (1 - shape.recall.mean()),
                 .pg_lost = neighbours * (1 - shape.pg_recall.mean())}
            );
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const ShapeLoss& a, const ShapeLoss& b) {
        return a.lost > b.lost;
    });
    found.resize(std::min(found.size(), count));
    return found;
}

std::string report_text(const Report& report) {
    std::string text;
    const auto line = [&text](const std::string& label, const std::string& rest) {
        text +=
            ' ' + label + std::string(label.size() < 26 ? 26 - label.size() : 1, ' ') + rest + '\n';
    };
    for (const RouteRecord& record : report.routes) {
        const RouteStatistics& all = record.statistics;
        if (all.compared == 0) {
            continue;
        }
        const Assessment assessment = assess(record, report.targets);
        text += record.route + ": " + std::string(to_string(assessment.verdict)) + ". " +
                assessment.sentence + '\n';
        for (const Check& check : assessment.checks) {
            line(
                check.name,
                check.value + "  (need " + check.need + ")  " +
                    std::string(to_string(check.verdict))
            );
        }
        const auto pair = [&all](double quantile) {
            return quantile_text(all.veer_ms, quantile) + " / " +
                   quantile_text(all.postgres_ms, quantile);
        };
        line(
            "latency ms, veer / pg",
            "p50 " + pair(0.5) + "   p95 " + pair(0.95) + "   p99 " + pair(0.99) +
                "   (pg: round trip of " + quantile_text(all.round_trip_ms, 0.5) + " included)"
        );
        line("equal or tied", std::to_string(all.count(Severity::equal)));
        line("veer better", classes_text(all, Severity::improvement));
        line("veer worse", classes_text(all, Severity::loss));
        line("wrong", classes_text(all, Severity::hard));
        line(
            "noise",
            std::to_string(all.excluded) + " excluded; " + std::to_string(all.tolerance_matters) +
                " depend on the tolerance"
        );
        line("sample", sample_text(record));
        for (const ShapeLoss& one : losses(report, record.route, shown_max)) {
            line(
                "shape " + cutover::shape_text(one.shape->shape),
                "k " + std::to_string(one.shape->k) + "  " +
                    std::to_string(one.shape->recall.count()) + " judged  recall " +
                    recall_text(one.shape->recall) + ", pgvector " +
                    recall_text(one.shape->pg_recall) + "  neighbours missed " +
                    decimals(one.lost, 0) + ", pgvector " + decimals(one.pg_lost, 0)
            );
        }
        for (const auto& one : worst(report, record.route, shown_max)) {
            line(
                "mismatch " + std::to_string(one->id),
                std::string(to_string(one->judgement.verdict)) + "  recall " +
                    decimals(one->judgement.recall, 3) + "  shape " + fingerprint(one->shape) +
                    "  veer mismatch " + std::to_string(one->id) + ", veer replay " +
                    std::to_string(one->id)
            );
        }
        text += '\n';
    }
    return text.empty() ? "Nothing has been compared yet.\n" : text;
}

}  // namespace veer::router::compare
