#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"

#include <functional>
#include <optional>
#include <string>

namespace rocksdb {
class DB;
class Snapshot;
}  // namespace rocksdb

namespace veer::storage::store {

/// The rows as they are when it is made, whatever is written later. Costs a pointer, and the disk
/// what is overwritten meanwhile: not to be kept. From any thread; the store must outlive it.
class View {
  public:
    View(rocksdb::DB& db, std::string directory);
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View();

    /// Calls `visit` with every row of a table in the order of the keys' bytes, from behind `after`
    /// on, until it returns false.
    Result<void> for_each_row(
        TableOid table, const std::optional<RowKey>& after, const std::function<bool(Row&&)>& visit
    ) const;

  private:
    rocksdb::DB& db_;
    std::string directory_;
    const rocksdb::Snapshot* snapshot_;
};

}  // namespace veer::storage::store
