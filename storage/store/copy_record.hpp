#pragma once

#include "storage/lsn.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::storage::store {

/// Pages of a table's file, from `first` to before `end`.
struct PageRange {
    /// As the end: whatever pages there are, and those that are added.
    static constexpr std::uint32_t no_end = 0xFFFFFFFFU;

    std::uint32_t first = 0;
    std::uint32_t end = no_end;

    friend bool operator==(const PageRange&, const PageRange&) = default;
};

/// How far the copy of a table has come that is not complete yet: what of it need not be read again
/// after a crash. It is written after the rows that it speaks of, so that a log cut anywhere has
/// those if it has this.
///
/// Invariants:
/// 1. The store has every row that is in one of the pages of `done` in the snapshot of `first`, or
///    of `last`, or of one between; and the spool all changes that commit from `first` on.
/// 2. Where `first` and `last` are the same, the rows of those pages are those of that snapshot.
/// 3. Pages mean something in one file only: of the table as it was when the copy began.
struct CopyRecord {
    Table table;                          ///< as it was when the copy began
    std::string publication_fingerprint;  ///< of the table, at the same time
    Lsn first;                            ///< the oldest snapshot's consistent point
    Lsn last;                             ///< the newest one's
    std::vector<PageRange> done;          ///< ascending, nothing twice
    std::uint64_t rows = 0;               ///< read so far
    std::uint64_t bytes = 0;              ///< of these, as Postgres sent them
    /// The last commit of which the table's changes could not be read, and are not in the spool.
    Lsn unreadable;
};

/// All but `unreadable`, which is a key of its own.
std::string encode_copy(const CopyRecord& record);
std::optional<CopyRecord> decode_copy(std::string_view bytes);

}  // namespace veer::storage::store
