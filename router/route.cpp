#include "router/route.hpp"

namespace veer::router {

const Route* RouteTable::find(const parser::NearestNeighbourQuery& query) const {
    const Route* found = nullptr;
    for (const Route& route : routes) {
        if (!route.column.refused.empty()) {
            continue;
        }
        const bool same_table = route.table().name == query.table &&
                                (!query.schema || *query.schema == route.table().schema);
        if (!same_table || route.vector_column().name != query.column ||
            route.column.ann.operator_name != query.operator_name) {
            continue;
        }
        if (found != nullptr) {
            return nullptr;
        }
        found = &route;
    }
    return found;
}

}  // namespace veer::router
