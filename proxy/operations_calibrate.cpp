#include "proxy/operations.hpp"

#include <algorithm>
#include <utility>

// CALIBRATE: searches of a route's golden set are put to both engines, twice each, one after the
// other.

namespace veer::proxy {

namespace {

constexpr std::size_t searches_max = 20;

admin::Outcome to_outcome(const router::compare::Calibration& calibration) {
    std::vector<admin::Row> rows;
    for (const router::compare::Calibration::Finding& found : calibration.findings()) {
        rows.push_back(
            {found.measure,
             static_cast<std::int64_t>(found.samples),
             found.median,
             found.p99,
             found.most,
             found.allowed ? admin::Value(*found.allowed) : admin::Value{},
             found.verdict.empty() ? admin::Value{} : admin::Value(found.verdict)}
        );
    }
    return rows;
}

}  // namespace

struct ProcessOperations::Calibrating {
    std::string route;
    std::vector<router::compare::GoldenSet::Search> searches;
    std::size_t at = 0;
    std::optional<router::compare::Mismatch> first;  ///< of the search at `at`
    router::compare::Calibration calibration;
    std::function<void(admin::Outcome)> done;
};

void ProcessOperations::calibrate(
    const admin::Command& command, std::function<void(admin::Outcome)> done
) {
    const auto run = std::make_shared<Calibrating>();
    run->route = route_named(command.route);
    run->searches = parts_.golden.searches(run->route, searches_max);
    run->done = std::move(done);
    const auto table = parts_.router.routes();
    const bool elsewhere =
        std::any_of(table->routes.begin(), table->routes.end(), [&run](const router::Route& each) {
            return each.name == run->route && each.candidate != nullptr;
        });
    if (elsewhere) {
        run->done(admin::Failure{
            .sqlstate = "0A000",
            .message = "it is answered by another server, and CALIBRATE asks veer's own index",
            .hint = "SHOW COMPARE and SHOW MISMATCHES tell how far the two are apart."});
        return;
    }
    if (run->searches.empty()) {
        run->done(admin::Failure{
            .sqlstate = "55000",
            .message = "there are no golden searches of it",
            .hint = "SHOW GOLDEN lists what there is; comparisons bring them."});
        return;
    }
    calibrate_next(run);
}

/// Goes on when the comparison is there, on the comparing thread. Ends where one cannot be made.
void ProcessOperations::calibrate_next(const std::shared_ptr<Calibrating>& run) {
    const auto table = parts_.router.routes();
    const auto route =
        std::find_if(table->routes.begin(), table->routes.end(), [&run](const router::Route& each) {
            return each.name == run->route && each.live();
        });
    bool taken = false;
    if (run->at < run->searches.size() && route != table->routes.end()) {
        const router::compare::GoldenSet::Search& search = run->searches[run->at];
        router::compare::Observation asked;
        asked.route = run->route;
        asked.column = {table, &route->column};
        asked.vector = search.vector;
        asked.k = search.k;
        asked.filter = search.filter;
        asked.ef_search = static_cast<std::uint32_t>(search.ef);
        taken = parts_.comparer.once_aside(
            std::move(asked),
            [this, run](std::optional<router::compare::Mismatch> made) {
                if (run->first && made) {
                    run->calibration.add(*run->first, *made);
                }
                run->at += run->first || !made ? 1 : 0;
                run->first = run->first ? std::nullopt : std::move(made);
                calibrate_next(run);
            }
        );
    }
    if (taken) {
        return;
    }
    if (run->calibration.searches() > 0) {
        run->done(to_outcome(run->calibration));
    } else {
        run->done(admin::Failure{
            .sqlstate = "55000",
            .message = "its searches could not be compared",
            .hint = "Another is waited for, comparing is switched off, or Postgres does not "
                    "answer veer's own role: try again in a moment, and look at veer's log."});
    }
}

}  // namespace veer::proxy
