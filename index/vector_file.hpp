#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace veer::index {

/// Where the vectors are that codes stand for: a search reads those of its last candidates, and no
/// others. The first bytes are in memory, so that a small index has nothing to do with the disk;
/// what is beyond lies in a file that has no name:
///
///     slot 0 ... [ in memory: memory_first ][ file in `directory`, cached as far as memory goes ]
struct VectorFile {
    std::string directory = {};    ///< empty: all are in memory
    std::size_t memory_first = 0;  ///< bytes; without meaning where all are in memory

    bool used() const { return !directory.empty(); }

    friend bool operator==(const VectorFile&, const VectorFile&) = default;
};

/// What of it there is. What is cached is memory that the kernel takes back where it is short.
struct FileBytes {
    std::uint64_t stored = 0;
    std::uint64_t cached = 0;  ///< of these, in the page cache; of large ones a sample is looked at
};

/// Whether a file there takes load off the memory and cannot end the process: not where files are
/// in memory themselves (tmpfs), nor where a disk can be full in spite of posix_fallocate (btrfs,
/// ZFS). False where it cannot be told.
bool suits_vectors(const std::string& directory);

}  // namespace veer::index
