#pragma once

#include "tests/demo/corpus.hpp"
#include "tests/demo/postgres.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace veer::demo {

struct Table {
    std::string name;
    std::size_t rows = 0;
    std::size_t dimensions = 0;
    std::string operator_class = "vector_cosine_ops";
};

using DocumentSource = std::function<Document(std::size_t number)>;
using Progress = std::function<void(double share)>;

/// Creates the table and fills it by COPY BINARY with documents 0 to rows - 1.
void load_documents(
    const std::string& dsn,
    const Table& table,
    const DocumentSource& source,
    const Progress& progress
);

/// CREATE INDEX ... USING hnsw with pgvector's own defaults, then ANALYZE. Returns what CREATE
/// INDEX took, seconds.
double build_hnsw(const std::string& dsn, const Table& table, const Progress& progress);

}  // namespace veer::demo
