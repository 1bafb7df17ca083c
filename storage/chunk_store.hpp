#pragma once

#include "storage/error.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace veer::storage {

/// Values by key that survive a restart: for what can be made again from the rows, only slower.
///
///     put, put, put ─▶ commit(key, value, erased)        one step, durable, with all puts before
///     it
///
/// Contract:
/// 1. After a crash, whatever a commit() that returned has written and erased is so; of a later
///    put() there may be anything, nothing or all, but each value whole.
/// 2. Who reads checks what it reads: a disk may return other bytes.
/// 3. From any thread; one at a time writes one key.
class ChunkStore {
  public:
    ChunkStore() = default;
    ChunkStore(const ChunkStore&) = delete;
    ChunkStore& operator=(const ChunkStore&) = delete;
    virtual ~ChunkStore() = default;

    /// Nothing where there is no such key.
    virtual Result<std::optional<std::string>> read(const std::string& key) const = 0;

    /// Every key that begins so, in order.
    virtual Result<std::vector<std::string>> keys(const std::string& prefix) const = 0;

    virtual Result<void> put(const std::string& key, const std::string& value) = 0;

    virtual Result<void> commit(
        const std::string& key, const std::string& value, std::span<const std::string> erased
    ) = 0;
};

}  // namespace veer::storage
