#pragma once

#include "parser/statement.hpp"
#include "router/compare/observation.hpp"
#include "router/reason.hpp"
#include "router/route.hpp"
#include "router/search.hpp"

#include <memory>
#include <optional>
#include <string>

namespace veer::router {

/// The search as it would be compared, where it belongs to the sample: the same searches at every
/// time and in every session, whoever answers them. Nothing where it does not, or where the copy
/// cannot be compared with: inner joins, and a WHERE that veer does not understand whole, or that
/// names too much. `rate` is the share that a rule says; nothing: the route's.
std::optional<compare::Observation> observe(
    const std::shared_ptr<const RouteTable>& routes,
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const std::string& shape,
    const Search& search,
    std::optional<double> rate = std::nullopt
);

/// The same of any search that can be compared, in the sample or not.
std::optional<compare::Observation> observed(
    const std::shared_ptr<const RouteTable>& routes,
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const std::string& shape,
    const Search& search
);

/// Whether a search that went to Postgres for this reason is one that veer could have answered.
bool comparable(Reason why);

}  // namespace veer::router
