#include "index/column_writer.hpp"

#include "index/elements.hpp"

#include <vector>

namespace veer::index {

namespace {

std::span<const float> elements_in(const ChosenVector& chosen, std::vector<float>& memory) {
    return chosen.vector != nullptr ? elements_of(*chosen.vector, memory)
                                    : std::span<const float>{};
}

}  // namespace

void ColumnWriter::load(std::span<const storage::Row> rows, unsigned threads) const {
    std::vector<RouteIndex::Entry> entries(rows.size());
    std::vector<std::vector<float>> memory(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const ChosenVector chosen = chosen_vector(rows[i], ann.vector, ann.legacy);
        entries[i] = {rows[i].key, elements_in(chosen, memory[i]), rows[i].values};
        if (sources != nullptr) {
            sources->put(rows[i].key, chosen);
        }
    }
    index->load(entries, threads);
}

void ColumnWriter::put(const storage::Upsert& upsert) const {
    if (upsert.old_key) {
        erase(*upsert.old_key);
    }
    const storage::Row& row = upsert.row;
    const ChosenVector chosen = chosen_vector(row, ann.vector, ann.legacy);
    std::vector<float> memory;
    // A vector that cannot be indexed is not in pgvector's index either; put() counts it.
    (void)index->put(row.key, elements_in(chosen, memory), row.values);
    if (sources != nullptr) {
        sources->put(row.key, chosen);
    }
}

void ColumnWriter::erase(const storage::RowKey& key) const {
    index->erase(key);
    if (sources != nullptr) {
        sources->erase(key);
    }
}

void ColumnWriter::clear() const {
    index->clear();
    if (sources != nullptr) {
        sources->clear();
    }
}

void ColumnWriter::publish() const {
    index->publish();
    if (sources != nullptr) {
        sources->publish();
    }
}

}  // namespace veer::index
