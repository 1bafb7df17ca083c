#pragma once

#include "storage/error.hpp"
#include "storage/source/connection.hpp"
#include "storage/verify/comparison.hpp"
#include "storage/verify/key_range.hpp"
#include "storage/verify/row_digest.hpp"

#include <vector>

namespace veer::storage::verify {

/// Asks Postgres what ranges of one table come to, in the transaction that the connection is in.
///
///     sum()    one row, whatever the range            where it differs from the copy's:
///     rows()   key and digest of each                 where a key differs:
///     conditions of keys ─▶ source::copy_rows()       the rows themselves
class TableRange {
  public:
    /// Reads how the types of its columns are sent.
    static Result<TableRange> make(source::Connection& connection, const Table& table);

    /// Both look at no more than `rows_max` rows.
    Result<RangeSum> sum(const KeyRange& range, std::size_t rows_max);
    Result<std::vector<DigestedRow>> rows(const KeyRange& range, std::size_t rows_max);

    /// The condition that a row has one of these keys.
    std::string any_of(const std::vector<RowKey>& keys) const;

  private:
    TableRange(source::Connection& connection, const Table& table, SendFunctions send);

    std::string select(const std::string& expressions, const KeyRange& range, std::size_t rows_max)
        const;

    source::Connection& connection_;
    const Table& table_;
    SendFunctions send_;
};

}  // namespace veer::storage::verify
