#pragma once

#include <cstdint>

namespace veer::storage::sync {

/// How a copy reads, and what it may take of the server.
struct CopyLimits {
    unsigned connections = 2;            ///< that read side by side
    std::uint64_t bytes_per_second = 0;  ///< of all of them; 0 is no bound
    /// Of the table at a time: so much is read again after a crash.
    std::uint64_t range_bytes = 32U << 20U;
};

}  // namespace veer::storage::sync
