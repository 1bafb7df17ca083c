#include "router/route.hpp"

#include "router/decide.hpp"
#include "router/rewrite.hpp"
#include "storage/partitions.hpp"

#include <algorithm>
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

namespace {

using storage::VectorForm;

/// Whether the text makes of the column what the route's index has of it.
bool fits(const parser::ColumnCast& cast, const storage::Column& column) {
    if (cast.typmod.value_or(column.dimensions()) != column.dimensions()) {
        return false;
    }
    if (cast.to_half) {  // of the same neighbours, as near as halves can tell
        return column.kind == storage::VectorKind::vector &&
               (column.form == VectorForm::native || column.form == VectorForm::unbound);
    }
    switch (column.form) {
        case VectorForm::native:
        case VectorForm::unbound:
            return !cast.to_vector;
        case VectorForm::real_array:
        case VectorForm::double_array:
            return cast.to_vector && !cast.through_text;
        case VectorForm::text:
            return cast.to_vector;
        case VectorForm::jsonb:
            return cast.to_vector && cast.through_text;
    }
    return false;
}

bool is_of(const Route& route, const parser::NearestNeighbourQuery& query) {
    const storage::Table& table = route.table();
    const auto named = [&](const std::string& name, const parser::ColumnCast& cast, auto vector) {
        const storage::Column& column = table.columns[table.vectors[vector]];
        return column.name == name && fits(cast, column);
    };
    const storage::AnnIndex& ann = route.column.ann;
    if (!named(query.column, query.cast, route.column.vector)) {
        return false;
    }
    if (route.exceeds(query)) {
        return route.searched_whole && answerable_locally(route, query);
    }
    return !query.legacy ||
           (ann.legacy && named(query.legacy->column, query.legacy->cast, *ann.legacy));
}

}  // namespace

bool is_about(
    const config::Route& configured, const storage::Table& table, const storage::AnnIndex& ann
) {
    const auto name_of = [&table](std::size_t vector) {
        return table.columns[table.vectors[vector]].name;
    };
    return configured.column ==
               config::ColumnName{
                   .schema = table.schema, .table = table.name, .column = name_of(ann.vector)} &&
           configured.operator_name == ann.operator_name &&
           configured.legacy == (ann.legacy ? name_of(*ann.legacy) : std::string());
}

std::string vector_expression(
    const storage::Table& table,
    const storage::AnnIndex& ann,
    std::string_view alias,
    std::string_view type
) {
    const auto term = [&](std::size_t vector) {
        const storage::Column& column = table.columns[table.vectors[vector]];
        std::string text = quote_identifier(alias) + '.' + quote_identifier(column.name);
        if (column.form == VectorForm::jsonb) {
            text += "::pg_catalog.text";
        }
        const bool is_vector =
            column.form == VectorForm::native || column.form == VectorForm::unbound;
        return is_vector ? text : text.append("::").append(type);
    };
    return ann.legacy ? "coalesce(" + term(ann.vector) + ", " + term(*ann.legacy) + ')'
                      : term(ann.vector);
}

bool Route::streamed_whole() const {
    return !storage::is_partitioned(table());
}

bool Route::names(const parser::FunctionCall& call) const {
    return std::any_of(
        functions.begin(),
        functions.end(),
        [&call](const config::FunctionName& function) {
            return function.name == call.name && (!call.schema || *call.schema == function.schema);
        }
    );
}

const Route* RouteTable::find(const parser::FunctionCall& call) const {
    const Route* found = nullptr;
    for (const Route& route : routes) {
        const bool better = found == nullptr || (route.live() && route.traffic->share() > 0);
        if (route.names(call) && better) {
            found = &route;
        }
    }
    return found;
}

const Route* RouteTable::find(const parser::NearestNeighbourQuery& query) const {
    const Route* found = nullptr;
    for (const Route& route : routes) {
        if (!route.column.refused.empty()) {
            continue;
        }
        const bool same_table = route.table().name == query.table &&
                                (!query.schema || *query.schema == route.table().schema);
        if (!same_table || !is_of(route, query) ||
            route.column.ann.operator_name != query.operator_name) {
            continue;
        }
        if (route.exceeds(query) && !(route.live() && route.all_parse())) {
            continue;  // the column's own index, where there is one, knows enough
        }
        const bool another_table = found != nullptr && found->table().oid != route.table().oid;
        const bool twice = found != nullptr && found->exceeds(query) == route.exceeds(query);
        if (another_table || twice) {
            return nullptr;
        }
        found = found == nullptr || route.exceeds(query) ? &route : found;
    }
    return found;
}

}  // namespace veer::router
