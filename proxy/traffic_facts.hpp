#pragma once

#include "config/config.hpp"
#include "proxy/admin/snapshot.hpp"
#include "router/compare/ledger.hpp"
#include "router/compare/shape_ledger.hpp"
#include "router/cutover/control.hpp"
#include "router/plan_cache.hpp"
#include "router/route.hpp"

#include <string>
#include <vector>

namespace veer::proxy {

/// Where the cutover stands with the route that `facts` are of.
void add_position(const std::vector<router::cutover::RouteView>& views, admin::RouteFacts& facts);

/// Gates, guards, rules, the audit, and the steps ahead of each of `views`.
void add_cutover(
    const router::cutover::Control& control,
    const std::vector<router::cutover::RouteView>& views,
    const config::Config& config,
    router::cutover::Time now,
    admin::Snapshot& snapshot
);

void add_comparisons(const router::compare::Ledger& ledger, admin::Snapshot& snapshot);

/// Recall and durations by shape and k.
void add_shapes(
    const std::vector<router::compare::ShapeRecord>& records, admin::Snapshot& snapshot
);

/// Whether the index answers some of the route's searches, or would as soon as it may.
bool has_share(const std::vector<router::cutover::RouteView>& views, const std::string& route);

/// Of the shapes that are still remembered, with what their comparisons came to.
void add_queries(
    const router::PlanCache& plans,
    const router::RouteTable& routes,
    const std::vector<router::compare::ShapeRecord>& shapes,
    admin::Snapshot& snapshot
);

/// The steps that are ahead of a route, each at the earliest that minimum times and the rate at
/// which it has been compared until now allow.
std::vector<admin::StepFacts> steps_ahead(
    const router::cutover::RouteView& view,
    const std::vector<admin::GateFacts>& gates,
    const config::Config& config,
    router::cutover::Time now
);

}  // namespace veer::proxy
