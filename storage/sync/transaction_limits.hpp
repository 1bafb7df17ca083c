#pragma once

#include <cstddef>
#include <cstdint>

namespace veer::storage::sync {

/// What transactions that have not ended may take.
struct TransactionLimits {
    std::size_t memory_max = 64U << 20U;  ///< of all; what is more is on disk
    /// Bytes of all on disk, and the tables of one that goes beyond are copied again. 0: large
    /// transactions come whole, with their commit, and are in memory (512 MB).
    std::uint64_t disk_max = 4ULL << 30U;
};

}  // namespace veer::storage::sync
