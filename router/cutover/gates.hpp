#pragma once

#include "config/cutover.hpp"
#include "router/cutover/evidence.hpp"
#include "router/cutover/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router::cutover {

/// One condition for going forward, as it stands.
struct Gate {
    std::string_view
        name;  ///< "recall", "recall_vs_pg", "slow_share", "hard", "compared", "noise", "age"
    double value = 0;  ///< measured
    double bound = 0;  ///< proven with the configured confidence
    double threshold = 0;
    std::uint64_t samples = 0;
    double evidence = 0;  ///< E of the betting test; 100 proves with 99 %; 0 where it is no test
    Verdict verdict = Verdict::inconclusive;
    std::optional<std::uint64_t> more_needed;  ///< comparisons, at this rate; nothing: unknown
};

/// All gates on one body of evidence. A function of its arguments alone: an audit record's verdict
/// is recomputed by calling it again.
std::vector<Gate> gates(
    const Evidence& evidence, const config::Gates& wanted, Duration age_max, Time now
);

/// pass where every gate passes, fail where one fails.
Verdict verdict(const std::vector<Gate>& gates);

/// What stands in the way, in one sentence; empty where nothing does.
std::string obstacle(const std::vector<Gate>& gates);

}  // namespace veer::router::cutover
