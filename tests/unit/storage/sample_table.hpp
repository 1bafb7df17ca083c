#pragma once

#include "storage/row.hpp"
#include "storage/table.hpp"

namespace veer::tests {

/// public.items (id bigint PRIMARY KEY, note text, emb vector(2), emb2 vector(1)).
inline storage::Table sample_table(std::uint32_t oid = 100) {
    storage::Table table;
    table.oid = {oid};
    table.schema = "public";
    table.name = "items";
    table.columns = {
        {"id", 1, 20, 8, -1, true},
        {"note", 2, 25, -1, -1, false},
        {"emb", 4, 16385, -1, 2, false},
        {"emb2", 5, 16385, -1, 1, false}};
    table.key = {0};
    table.vectors = {2, 3};
    table.indexes = {
        {"items_emb", "hnsw", 0, "<->", 16500, 16, 64},
        {"items_emb2", "ivfflat", 1, "<#>", 16501, 8, 32}};
    table.fingerprint = "700,701,";
    table.estimated_rows = 12;
    return table;
}

/// A key of one eight-byte column.
inline storage::RowKey key_of(std::uint64_t id) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>(id >> static_cast<unsigned>(shift)));
    }
    storage::RowKey key;
    storage::append_key_column(key, bytes);
    return key;
}

inline storage::VectorValue floats(std::vector<float> values) {
    return values;
}

/// A row of sample_table().
inline storage::Row row_of(std::uint64_t id, storage::VectorValue emb, storage::VectorValue emb2) {
    return {key_of(id), {std::move(emb), std::move(emb2)}};
}

}  // namespace veer::tests
