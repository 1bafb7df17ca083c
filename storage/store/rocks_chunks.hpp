#pragma once

#include "storage/chunk_store.hpp"

#include <memory>
#include <string>

namespace veer::storage::store {

/// Opens or makes a ChunkStore in `directory` (mode 0700), a RocksDB of its own beside the rows':
/// it may be deleted at any time, and what is wrong with it concerns no row.
Result<std::unique_ptr<ChunkStore>> open_chunks(const std::string& directory);

}  // namespace veer::storage::store
