#pragma once

#include "router/compare/ledger.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace veer::router::compare {

/// What comparisons come to, as tables of text: SHOW veer.compare and the like. Any role may read
/// them, so they hold neither keys nor vectors nor texts of statements.

const std::vector<std::string>& compare_columns();
std::vector<std::vector<std::string>> compare_rows(const std::vector<RouteRecord>& records);

const std::vector<std::string>& mismatch_columns();

/// Latest first.
std::vector<std::vector<std::string>> mismatch_rows(
    const std::vector<std::shared_ptr<const Mismatch>>& mismatches
);

/// The relation of that name (compare, mismatches, report, report_json, report_html; of reports
/// also "report since 2026-05-04T14:22:07Z"): its columns and rows. A report as text has a row for
/// each line, else it is one value. Nothing where there is no such relation.
struct Relation {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
};

std::optional<Relation> relation(const Ledger& ledger, std::string_view name);

/// "missing_row 3, unsorted 1": comparisons with any difference of that severity, by class; empty
/// where there are none.
std::string classes_text(const RouteStatistics& statistics, Severity severity);

/// "0.9950"; empty where nothing was counted.
std::string recall_text(const RecallHistogram& recall);

/// Milliseconds with three decimals; empty where nothing was measured.
std::string quantile_text(const LatencyHistogram& latency, double quantile);

/// "2026-05-04T14:22:07.114Z" of microseconds since 1970.
std::string time_text(std::int64_t microseconds);

/// Eight hexadecimal digits by which a shape is spoken of.
std::string fingerprint(std::string_view shape);

}  // namespace veer::router::compare
