#include "router/route.hpp"

#include <utility>

namespace veer::router {

StickyBy sticky_by_from_text(std::string_view text) {
    using Kind = StickyBy::Kind;
    constexpr std::string_view tag = "tag:";
    if (text.starts_with(tag)) {
        return {.kind = Kind::tag, .tag = std::string(text.substr(tag.size()))};
    }
    constexpr std::pair<std::string_view, Kind> words[] = {
        {"role", Kind::role},
        {"application", Kind::application},
        {"session", Kind::session},
        {"shape", Kind::shape}};
    for (const auto& [word, kind] : words) {
        if (text == word) {
            return {.kind = kind, .tag = {}};
        }
    }
    return {};
}

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
