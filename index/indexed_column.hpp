#pragma once

#include "index/route_index.hpp"
#include "index/source_census.hpp"
#include "storage/row.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace veer::index {

/// One served column and operator: which table, and the index that answers for it.
struct IndexedColumn {
    storage::Table table;
    std::size_t vector = 0;  ///< position in table.vectors
    storage::AnnIndex ann;   ///< pgvector's index that it mirrors, or a declared one
    std::shared_ptr<const RouteIndex> index;
    std::string refused;    ///< why it may not be served from, a sentence; then the index is empty
    bool complete = false;  ///< has all rows of its table, and follows
    bool live = false;      ///< complete, and the stream runs: may be served from
    std::shared_ptr<SourceCensus> sources = nullptr;  ///< of a declared one, else null

    /// The same rows under another definition; pgvector's index may have come or gone.
    void redefine(const storage::Table& now);
};

/// All columns of one copy, as of one generation. Immutable; sessions hold it while they use it.
struct Generation {
    std::uint64_t number = 0;
    std::string database;
    std::vector<IndexedColumn> columns;
};

/// The indexes of columns that are not there any more.
std::vector<std::shared_ptr<const void>> gone_since(
    const Generation& before, const Generation& now
);

/// The elements of its vectors, whose dimensions pgvector demands to be fixed; else 0.
std::uint32_t dimensions_of(const storage::Table& table, std::size_t vector);

/// Requires dimensions_of() it.
storage::VectorKind kind_of(const IndexedColumn& column);

/// "public.documents.embedding <=>", for people.
std::string name_of(const IndexedColumn& column);

/// Logs how many rows of a declared column do not parse, if there are any.
void say_unparsable(const IndexedColumn& column);

/// The types of the copied columns; discovery copies none without one.
std::vector<storage::ColumnType> types_of(const storage::Table& table);

}  // namespace veer::index
