#include "proxy/column_choices.hpp"

#include <algorithm>

namespace veer::proxy {

namespace {

storage::ColumnChoice column_choice(const config::Columns& columns) {
    using Kind = storage::ColumnChoice::Kind;
    switch (columns.kind) {
        case config::Columns::Kind::automatic:
            return {Kind::automatic, columns.names};
        case config::Columns::Kind::none:
            return {Kind::none, {}};
        case config::Columns::Kind::all:
            return {Kind::all, {}};
    }
    return {};
}

std::vector<storage::DeclaredIndex> declared(const config::Config& config) {
    std::vector<storage::DeclaredIndex> all;
    for (const config::Route& route : config.routes) {
        if (route.engine.empty()) {
            all.push_back(
                {.schema = route.column.schema,
                 .table = route.column.table,
                 .column = route.column.column,
                 .legacy = route.legacy,
                 .operator_name = route.operator_name,
                 .dimensions = route.dimensions}
            );
        }
    }
    return all;
}

std::vector<storage::DeclaredIndex> declared(const router::Declarations& declarations) {
    std::vector<storage::DeclaredIndex> all;
    for (const router::Declaration& each : *declarations.all()) {
        all.push_back(
            {.schema = each.schema,
             .table = each.table,
             .column = each.column,
             .legacy = {},
             .operator_name = each.operator_name,
             .dimensions = each.dimensions,
             .m = each.m,
             .ef_construction = each.ef_construction,
             .states_parameters = true}
        );
    }
    return all;
}

}  // namespace

storage::ColumnChoices column_choices(
    const config::Config& config, const router::Declarations* declarations
) {
    storage::ColumnChoices choices{column_choice(config.defaults.columns), {}, declared(config)};
    if (declarations != nullptr) {
        choices.later = [declarations] {
            return declared(*declarations);
        };
    }
    for (const config::Route& route : config.routes) {
        if (route.columns == config.defaults.columns) {
            continue;
        }
        const storage::ColumnChoice choice = column_choice(route.columns);
        auto known =
            std::find_if(choices.tables.begin(), choices.tables.end(), [&](const auto& table) {
                return table.schema == route.column.schema && table.table == route.column.table;
            });
        if (known == choices.tables.end()) {
            choices.tables.push_back({route.column.schema, route.column.table, choice});
            continue;
        }
        storage::ColumnChoice& shared = known->choice;
        using Kind = storage::ColumnChoice::Kind;
        const auto rank = [](Kind kind) {
            return kind == Kind::none ? 0 : kind == Kind::automatic ? 1 : 2;
        };
        shared.kind = rank(choice.kind) > rank(shared.kind) ? choice.kind : shared.kind;
        shared.names.insert(shared.names.end(), choice.names.begin(), choice.names.end());
    }
    return choices;
}

}  // namespace veer::proxy
