#include "router/observe.hpp"

#include "router/answer.hpp"
#include "router/bucket.hpp"
#include "router/decide.hpp"

namespace veer::router {

namespace {

/// Of its own, so that the sample is not a part of the share that the index answers.
constexpr std::string_view sample_salt = "veer.compare";

/// Of a WHERE that is kept beside its search.
constexpr std::size_t filter_values_max = 256;
constexpr std::size_t filter_text_max = 4096;

struct FilterSize {
    std::size_t values = 0;
    std::size_t text = 0;
};

void add_size(const index::Filter& filter, FilterSize& size) {
    size.values += filter.values.size() + 1;
    for (const index::FilterValue& value : filter.values) {
        const auto* const text = std::get_if<std::string>(&value);
        size.text += text == nullptr ? 0 : text->size();
    }
    for (const index::Filter& child : filter.children) {
        add_size(child, size);
    }
}

/// Whether the rows that the search is among are all of the table, or told by the index's filter.
bool known_rows(const parser::NearestNeighbourQuery& query, const Search& search) {
    if (query.several || query.reranked) {
        return false;  // an observation is of one vector, and of rows chosen by nothing else
    }
    if (!query.narrows()) {
        return true;
    }
    if (query.inner_join || !search.rows.whole || !search.rows.filter) {
        return false;
    }
    FilterSize size;
    add_size(*search.rows.filter, size);
    return size.values <= filter_values_max && size.text <= filter_text_max;
}

}  // namespace

std::optional<compare::Observation> observe(
    const std::shared_ptr<const RouteTable>& routes,
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const std::string& shape,
    const Search& search,
    std::optional<double> rate
) {
    route.tally->searches.fetch_add(1, std::memory_order_relaxed);
    const double share = rate.value_or(route.compare_rate);
    if (share <= 0 || !route.traffic->comparing()) {
        return std::nullopt;
    }
    const double place = bucket(sample_salt, shape, search.vector);
    if (place >= share) {
        return std::nullopt;
    }
    auto observation = observed(routes, route, query, shape, search);
    if (observation) {
        observation->place = place;
    }
    return observation;
}

std::optional<compare::Observation> observed(
    const std::shared_ptr<const RouteTable>& routes,
    const Route& route,
    const parser::NearestNeighbourQuery& query,
    const std::string& shape,
    const Search& search
) {
    const auto* const floats = std::get_if<std::vector<float>>(&search.vector);
    const bool postgres_fails =
        route.column.sources != nullptr && !route.column.sources->all_parse();
    if (!route.live() || floats == nullptr || postgres_fails || !known_rows(query, search)) {
        return std::nullopt;
    }
    compare::Observation observation;
    observation.route = route.name;
    observation.tally = route.tally;
    observation.column = {routes, &route.column};
    observation.shape = shape;
    observation.vector = *floats;
    observation.k = search.wanted();
    observation.filter = search.rows.filter;
    observation.candidate = route.candidate;
    if (!route.candidate && answerable_locally(route, query)) {
        observation.columns = copied_outputs(route.table(), query);
    }
    return observation;
}

bool comparable(Reason why) {
    // "short_answer" and "rewrite_failed": veer had tried, and something may be wrong with it.
    // "tripped" and "quarantined": only comparisons show that it has become right again.
    return why == reason::percent || why == reason::session_route || why == reason::panic ||
           why == reason::drill || why == reason::tripped || why == reason::quarantined ||
           why == reason::short_answer || why == reason::rewrite_failed || why == reason::engine;
}

}  // namespace veer::router
