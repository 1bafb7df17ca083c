#pragma once

#include "storage/error.hpp"
#include "storage/store/row_file.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rocksdb {
class DB;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace veer::storage::store {

Error disk_error(std::string_view what, std::string_view why);

/// The store's RocksDB, whose failures are sentences that name the directory.
struct Database {
    std::string directory;
    std::unique_ptr<rocksdb::DB> db;
    std::optional<RowFiles> files;

    Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    Error error(std::string_view what, const rocksdb::Status& status) const;
    Error corrupted(std::string_view what) const;

    Result<std::optional<std::string>> read(const std::string& key) const;
    Result<void> commit(rocksdb::WriteBatch& batch, bool durable) const;

    /// Makes durable what was committed. After a commit that has failed it fails likewise, until
    /// one succeeds: RocksDB takes a sync of a log that could not be written for a mistake of the
    /// program, and ends it.
    Result<void> sync_log() const;

    /// Deletes all from one key to before another. Where there is nothing, nothing is written: what
    /// is deleted keeps a file that comes later (RowFiles) from the lowest level, and it would be
    /// written again and again.
    Result<void> append_delete(
        rocksdb::WriteBatch& batch, const std::string& from, const std::string& end
    ) const;

    /// From one key to before another.
    using Keys = std::pair<std::string, std::string>;

    /// Commits a batch that deletes these ranges, durably, and gives the disk space of them back.
    /// Nobody may read there any more, in a view of an earlier moment neither.
    Result<void> commit_deletes(rocksdb::WriteBatch& batch, const std::vector<Keys>& ranges) const;

    /// About so many bytes under a prefix.
    std::uint64_t size_of(const std::string& prefix) const;

  private:
    mutable std::mutex writing_;  ///< no sync comes between a failure and the note of it
    mutable std::optional<Error> failed_;
};

}  // namespace veer::storage::store
