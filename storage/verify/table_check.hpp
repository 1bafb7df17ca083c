#pragma once

#include "storage/store/view.hpp"
#include "storage/verify/comparison.hpp"
#include "storage/verify/table_range.hpp"

#include <optional>
#include <vector>

namespace veer::storage::verify {

/// Compares a table with its copy, both as of one position, one range after the other.
///
///     copy:   4,096 rows from where it stands, their sum and their last key
///     table:  the sum of the range that ends there; where it is another one, each row's digest
///
/// The ranges cover all keys there can be, so that what only the table has is in one of them.
class TableCheck {
  public:
    struct Found {
        std::uint64_t rows = 0;  ///< of the copy
        std::vector<Difference> differences;
        bool more = false;  ///< so many rows differ that they were not all looked at
    };

    /// Begins behind a key, or at the beginning.
    TableCheck(
        const Table& table,
        TableRange& upstream,
        const store::View& copy,
        std::optional<RowKey> after
    );

    /// Compares the next range. Requires !finished().
    Result<Found> next();

    bool finished() const { return finished_; }

    /// The last key of the last range.
    const std::optional<RowKey>& after() const { return after_; }

  private:
    const Table& table_;
    TableRange& upstream_;
    const store::View& copy_;
    std::optional<RowKey> after_;
    std::size_t range_rows_;
    bool finished_ = false;
};

}  // namespace veer::storage::verify
