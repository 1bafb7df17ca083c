#pragma once

#include <cstddef>

namespace rocksdb {
struct Options;
}

namespace veer::storage::store {

/// What one of veer's databases may take.
struct RocksSizes {
    std::size_t cache_bytes = 0;         ///< of blocks that were read
    std::size_t block_bytes = 0;         ///< read at once
    std::size_t write_buffer_bytes = 0;  ///< twice that, while one is written out
    std::size_t wal_bytes = 0;           ///< in total
    int open_files = 0;
    int background_jobs = 1;
};

/// A database that is made where there is none, checks what it reads, and does not compress:
/// neither floats nor links get smaller.
rocksdb::Options rocks_options(const RocksSizes& sizes);

}  // namespace veer::storage::store
