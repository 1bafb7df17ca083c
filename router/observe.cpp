#include "router/observe.hpp"

#include "router/bucket.hpp"

namespace veer::router {

namespace {

/// Of its own, so that the sample is not a part of the share that the index answers.
constexpr std::string_view sample_salt = "veer.compare";

}  // namespace

std::optional<compare::Observation> observe(
    const std::shared_ptr<const RouteTable>& routes,
    const Route& route,
    const std::string& shape,
    const Search& search
) {
    const auto* const floats = std::get_if<std::vector<float>>(&search.vector);
    if (route.compare_rate <= 0 || !route.live() || floats == nullptr ||
        !route.traffic->comparing()) {
        return std::nullopt;
    }
    const double place = bucket(sample_salt, shape, search.vector);
    if (place >= route.compare_rate) {
        return std::nullopt;
    }
    compare::Observation observation;
    observation.route = route.name;
    observation.tally = route.tally;
    observation.column = {routes, &route.column};
    observation.shape = shape;
    observation.vector = *floats;
    observation.k = search.wanted();
    observation.place = place;
    return observation;
}

bool comparable(Reason why) {
    // "short_answer" and "rewrite_failed": veer had tried, and something may be wrong with it.
    // "tripped" and "quarantined": only comparisons show that it has become right again.
    return why == reason::percent || why == reason::session_route || why == reason::panic ||
           why == reason::drill || why == reason::tripped || why == reason::quarantined ||
           why == reason::short_answer || why == reason::rewrite_failed;
}

}  // namespace veer::router
