#include "router/progress.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router {

namespace {

double percent_of(std::uint64_t done, double estimated) {
    return estimated <= 0
               ? 0
               : std::floor(std::min(99.0, 100.0 * static_cast<double>(done) / estimated));
}

}  // namespace

Progress progress_of(
    const storage::sync::Status& status, const storage::sync::TableStatus& table, bool live
) {
    using storage::sync::Phase;
    using storage::sync::TableState;
    const bool following = status.phase == Phase::streaming || status.phase == Phase::copying;
    Progress progress;
    progress.reason = table.reason.empty() ? status.reason : table.reason;
    if (following && table.state == TableState::streaming) {
        progress.state = live ? "live" : "waiting";
        progress.percent = 100;
        return progress;
    }
    progress.state = following || table.state == TableState::refused
                         ? std::string(to_string(table.state))
                         : std::string(to_string(status.phase));
    progress.percent = percent_of(table.rows_done, table.rows_estimated);
    return progress;
}

Progress progress_of(const storage::sync::Status& status, storage::TableOid table, bool live) {
    for (const storage::sync::TableStatus& each : status.tables) {
        if (each.oid == table) {
            return progress_of(status, each, live);
        }
    }
    return progress_of(status, storage::sync::TableStatus{}, live);
}

}  // namespace veer::router
