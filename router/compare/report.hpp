#pragma once

#include "router/compare/ledger.hpp"
#include "router/cutover/verdict.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace veer::router::compare {

using cutover::Verdict;  // inconclusive: not enough evidence, or too much of it excluded

/// Everything that a report is made of. It holds no key, no vector and no literal of a statement,
/// so that it may go where the data may not.
struct Report {
    std::string version;  ///< veer's
    std::int64_t taken_us = 0;
    Targets targets;
    std::vector<RouteRecord> routes;
    std::vector<std::shared_ptr<const Mismatch>> mismatches;
    /// Of all comparisons by shape and k; none in a report of a while.
    std::vector<ShapeRecord> shapes = {};
};

/// What the ledger holds now, as of its last comparison.
Report report_of(const Ledger& ledger);

/// Of what was compared from then on.
Report report_since(const Ledger& ledger, std::int64_t from_us);

/// One fact that the verdict rests on.
struct Check {
    std::string name;
    std::string value;
    std::string need;
    Verdict verdict = Verdict::pass;
};

struct Assessment {
    Verdict verdict = Verdict::pass;  ///< the worst of the checks
    std::string sentence;             ///< in words, for people in a hurry
    std::vector<Check> checks;
};

Assessment assess(const RouteRecord& record, const Targets& targets);

/// Of all routes that have been compared: 0 pass, 1 fail, 2 inconclusive or none, for scripts.
int exit_code(const Report& report);

/// The mismatches of a route that cost most, worst first, at most `count`.
std::vector<std::shared_ptr<const Mismatch>> worst(
    const Report& report, const std::string& route, std::size_t count
);

/// Shapes of a route by what users lose: neighbours that the compared searches missed, most first;
/// at most `count`.
struct ShapeLoss {
    const ShapeRecord* shape = nullptr;  ///< of the report
    double lost = 0;                     ///< neighbours, of all compared searches of the shape
    double pg_lost = 0;                  ///< by pgvector, of the same
};

std::vector<ShapeLoss> losses(const Report& report, const std::string& route, std::size_t count);

/// One screen a route.
std::string report_text(const Report& report);

/// One object; numbers, not texts.
std::string report_json(const Report& report);

/// One self-contained page with plots, nothing of it from elsewhere.
std::string report_html(const Report& report);

}  // namespace veer::router::compare
