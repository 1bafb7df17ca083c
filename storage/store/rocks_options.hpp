#pragma once

#include <cstddef>
#include <cstdint>

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

/// How much may wait to be merged into lower levels, in files of level 0 and in bytes. Files that a
/// copy brings land there where its keys come in no order, as fast as they come; RocksDB never lets
/// those wait, but the stream's writes. So whoever copies waits by itself, and long before.
struct MergeBacklog {
    int files = 0;
    std::uint64_t bytes = 0;
};

inline constexpr MergeBacklog copies_wait{96, std::uint64_t{128} << 30U};
inline constexpr MergeBacklog writes_slow{160, std::uint64_t{256} << 30U};
inline constexpr MergeBacklog writes_stop{224, std::uint64_t{1} << 40U};

/// A database that is made where there is none, checks what it reads, and does not compress:
/// neither floats nor links get smaller.
rocksdb::Options rocks_options(const RocksSizes& sizes);

}  // namespace veer::storage::store
