#pragma once

#include "storage/store/database.hpp"
#include "storage/store/store.hpp"

#include <rocksdb/slice.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace veer::storage::store {

/// What a store is made of; for its own sources alone. One writer, as Store says.
struct Store::Impl : Database {
    std::string instance;
    Lsn applied;
    std::uint64_t spooled = 0;  ///< bytes, about

    std::string spill_directory() const { return directory + "/transactions"; }

    void append_spool(rocksdb::WriteBatch& batch, const Spool& spool);

    /// Forgets all but who this veer is.
    Result<void> start_over();

    /// Starts over where an older veer has written what this one copies again; refuses what it does
    /// not know.
    Result<void> check_format();
};

inline rocksdb::Slice slice(std::string_view bytes) {
    return {bytes.data(), bytes.size()};
}

Result<void> append_changes(rocksdb::WriteBatch& batch, std::span<const Change> changes);

}  // namespace veer::storage::store
