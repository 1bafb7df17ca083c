#include "index/nearest_matching.hpp"
#include "index/route_index_impl.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

// Searches of an index, each in one snapshot.

namespace veer::index {

namespace {

/// One row of an answer.
struct Placed {
    double distance = 0;  ///< as reported
    float walked = 0;     ///< where that is not a number
    Slot slot = no_slot;
};

/// By the distances that the client sees; those that are none (cosine of vectors too long or too
/// short for float32) come last, as Postgres sorts, and as pgvector's index does among each other.
std::vector<Placed> in_order(
    const Space& space, const HnswGraph& graph, const float* query, std::span<const Slot> slots
) {
    std::vector<Placed> all;
    all.reserve(slots.size());
    for (const Slot slot : slots) {
        const float* const code = graph.code(slot);
        const double distance = space.reported(query, code);
        all.push_back({distance, std::isnan(distance) ? space.walk(query, code) : 0, slot});
    }
    std::sort(all.begin(), all.end(), [](const Placed& a, const Placed& b) {
        return std::pair{sortable(a.distance), a.walked} <
               std::pair{sortable(b.distance), b.walked};
    });
    return all;
}

}  // namespace

Result<std::vector<Slot>> RouteIndex::Impl::find(
    const Space& space, const Snapshot& view, const SearchRequest& request, bool exact
) {
    const std::size_t want = std::min(request.k, view.live);
    const Nearest nearest{space, *view.segment, view.slots, view.published, request.limits};
    return exact ? nearest.scan(request.query, want)
                 : nearest.walk(
                       request.query, want, std::max({request.ef, request.k, std::size_t{1}})
                   );
}

Result<std::vector<Slot>> RouteIndex::Impl::find_matching(
    const Space& space, const Snapshot& view, const SearchRequest& request, bool exact
) {
    const auto predicate = Predicate::compile(*request.filter, *view.records);
    if (!predicate) {
        return predicate.error();
    }
    if (predicate->always()) {
        return find(space, view, request, exact);
    }
    if (predicate->never()) {
        return std::vector<Slot>{};
    }
    const RecordsView records{
        *view.records, view.record_count, view.segment->versions(), view.slots};
    Effort effort{request.limits};
    const auto matches = view.matches->get(*request.filter, *predicate, records, effort);
    if (!matches) {
        return matches.error();
    }
    const MatchingRows rows{records, **matches, view.published};
    const NearestMatching nearest{space, *view.segment, rows, view.live, request.limits};
    const std::size_t want = std::min(request.k, view.live);
    return exact ? nearest.scan(request.query, want)
                 : nearest.find(
                       request.query, want, std::max({request.ef, request.k, std::size_t{1}})
                   );
}

Result<std::vector<Hit>> RouteIndex::Impl::search(const SearchRequest& request, bool exact) const {
    if (const auto checked = space_.check(request.query); !checked) {
        return checked.error();
    }
    const Snapshot view = snapshot();
    const bool unknown_column =
        std::any_of(request.columns.begin(), request.columns.end(), [&](std::size_t column) {
            return column >= view.records->columns();
        });
    if (unknown_column) {
        return make_error_code(Errc::wrong_filter);
    }
    const auto slots = request.filter == nullptr ? find(space_, view, request, exact)
                                                 : find_matching(space_, view, request, exact);
    if (!slots) {
        return slots.error();
    }
    const float* const query = encoded(space_, request.query);
    std::vector<Hit> hits;
    hits.reserve(slots->size());
    for (const Placed& placed : in_order(space_, view.segment->graph(), query, *slots)) {
        Hit& hit = hits.emplace_back();
        hit.key = view.segment->keys().get(placed.slot);
        hit.distance = placed.distance;
        if (!request.columns.empty()) {
            const Record record = view.records->at(placed.slot, view.published);
            for (const std::size_t column : request.columns) {
                hit.values.push_back(view.records->column(column).send(record));
            }
        }
    }
    return hits;
}

/// Searches run on threads that nobody but they themselves would keep from ending the process.
Result<std::vector<Hit>> RouteIndex::search(const SearchRequest& request) const {
    try {
        return impl_->search(request, false);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<std::vector<Hit>> RouteIndex::search_exact(const SearchRequest& request) const {
    try {
        return impl_->search(request, true);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

}  // namespace veer::index
