#include "index/indexed_column.hpp"

#include "index/elements.hpp"

#include <variant>

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

std::uint32_t dimensions_of(const storage::Table& table, std::size_t vector) {
    const storage::Column* const column = column_of(table, vector);
    if (column == nullptr || column->typmod < 1) {
        return 0;
    }
    const std::uint32_t elements =
        element_count(column->kind, static_cast<std::uint32_t>(column->typmod));
    return elements > elements_max ? 0 : elements;
}

storage::VectorKind kind_of(const IndexedColumn& column) {
    return column_of(column.table, column.ann.vector)->kind;
}

std::span<const float> vector_of(
    const storage::Row& row, std::size_t vector, std::vector<float>& memory
) {
    if (vector >= row.vectors.size()) {
        return {};
    }
    const auto* const value = std::get_if<storage::Vector>(&row.vectors[vector]);
    return value != nullptr ? elements_of(*value, memory) : std::span<const float>{};
}

std::string name_of(const IndexedColumn& column) {
    const storage::Table& table = column.table;
    return table.schema + '.' + table.name + '.' +
           table.columns[table.vectors[column.ann.vector]].name + ' ' + column.ann.operator_name;
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
