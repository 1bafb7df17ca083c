#pragma once

#include "index/route_index.hpp"
#include "index/source_census.hpp"
#include "storage/row.hpp"
#include "storage/table.hpp"

#include <memory>
#include <span>

namespace veer::index {

/// One column's index, as it is written: rows of its table in, of which it takes what concerns it.
struct ColumnWriter {
    storage::TableOid table;
    storage::AnnIndex ann;
    std::shared_ptr<RouteIndex> index;
    std::shared_ptr<SourceCensus> sources;  ///< of a declared one, else null
    bool joined = false;                    ///< complete, and written by the syncer's thread

    void load(std::span<const storage::Row> rows, unsigned threads) const;
    void put(const storage::Upsert& upsert) const;
    void erase(const storage::RowKey& key) const;
    void clear() const;
    void publish() const;
};

}  // namespace veer::index
