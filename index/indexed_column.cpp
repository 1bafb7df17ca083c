#include "index/indexed_column.hpp"

#include "index/elements.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace veer::index {

namespace {

constexpr std::uint32_t elements_max = 16'000;

/// The column that an index of the table is on; null where the table is not what it should be.
const storage::Column* column_of(const storage::Table& table, std::size_t vector) {
    if (vector >= table.vectors.size() || table.vectors[vector] >= table.columns.size()) {
        return nullptr;
    }
    return &table.columns[table.vectors[vector]];
}

}  // namespace

void IndexedColumn::redefine(const storage::Table& now) {
    table = now;
    const auto same =
        std::find_if(now.indexes.begin(), now.indexes.end(), [this](const auto& each) {
            return each.same_order(ann);
        });
    ann = same == now.indexes.end() ? ann : *same;
}

std::vector<std::shared_ptr<const void>> gone_since(
    const Generation& before, const Generation& now
) {
    std::vector<std::shared_ptr<const void>> gone;
    for (const IndexedColumn& old : before.columns) {
        const bool kept =
            std::any_of(now.columns.begin(), now.columns.end(), [&](const IndexedColumn& column) {
                return column.index == old.index;
            });
        if (!kept) {
            gone.emplace_back(old.index);
        }
    }
    return gone;
}

std::uint32_t dimensions_of(const storage::Table& table, std::size_t vector) {
    const storage::Column* const column = column_of(table, vector);
    if (column == nullptr || column->dimensions() < 1) {
        return 0;
    }
    const std::uint32_t elements =
        element_count(column->kind, static_cast<std::uint32_t>(column->dimensions()));
    return elements > elements_max ? 0 : elements;
}

storage::VectorKind kind_of(const IndexedColumn& column) {
    return column_of(column.table, column.ann.vector)->kind;
}

std::string name_of(const IndexedColumn& column) {
    const storage::Table& table = column.table;
    return table.schema + '.' + table.name + '.' + table.source_of(column.ann) + ' ' +
           column.ann.operator_name;
}

void say_unparsable(const IndexedColumn& column) {
    if (column.sources != nullptr && !column.sources->all_parse()) {
        spdlog::warn(
            "index: {}: {} rows hold no vector of its dimensions",
            name_of(column),
            column.sources->counts().unparsable
        );
    }
}

std::vector<storage::ColumnType> types_of(const storage::Table& table) {
    std::vector<storage::ColumnType> types;
    for (const std::size_t position : table.copied) {
        types.push_back(storage::column_type(table.columns.at(position).type_oid)
                            .value_or(storage::ColumnType::text));
    }
    return types;
}

}  // namespace veer::index
