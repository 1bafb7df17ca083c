#pragma once

#include "storage/row.hpp"

#include <span>
#include <string>

namespace rocksdb {
class DB;
class Status;
}  // namespace rocksdb

namespace veer::storage::store {

/// Rows of a copy as a file of RocksDB's, made beside the database and taken over as it is:
///
///     rows, in the keys' order ─▶ loading/7.sst ─▶ part of the database, durable, at the lowest
///                                                  level where nothing overlaps it
///
/// Each byte is written once. By the log, the file of what was in memory and its compactions it
/// would be three or four times: more than Postgres needs to send it.
///
/// Nothing of it goes through memory that is written out later, and nobody else waits for it, but
/// for the moment in which the file is taken over, and longer where what is in memory overlaps it.
class RowFiles {
  public:
    /// `directory` is the database's. Files of an earlier life that were not taken over are
    /// removed.
    RowFiles(rocksdb::DB& db, const std::string& directory);

    /// Rows of one table, no key twice. From any thread. Nothing is left behind after a failure.
    rocksdb::Status add(TableOid table, std::span<const Row> rows);

  private:
    rocksdb::Status write(const std::string& path, TableOid table, std::span<const Row> rows) const;

    rocksdb::DB* db_;
    std::string directory_;
};

}  // namespace veer::storage::store
