#pragma once

#include "storage/row.hpp"
#include "storage/table.hpp"
#include "storage/verify/row_digest.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::storage::verify {

/// The keys after the one and up to the other, in the store's order; without a bound, all from or
/// to there.
struct KeyRange {
    std::optional<RowKey> after;
    std::optional<RowKey> to;
};

/// The range as conditions of SQL, each of which an index on the key can serve, and of which a row
/// of the range meets exactly one. The store's order is that of bytes:
///
///     integers          0 ... max, then min ... -1             (sign, value)
///     dates, timestamps 2000-01-01 ... infinity, then before   (the same)
///     uuid              as Postgres'
///     text, varchar     shorter ones first, then bytes         (length, bytes)
///     several columns   the first, then the second ...
///
/// so every column is one or two parts in Postgres' order, and a range from (a1, a2) to (b1, b2):
///
///     p1 = a1 AND p2 > a2  |  p1 > a1 AND p1 < b1  |  p1 = b1 AND p2 <= b2
///
/// Text has no index in that order: each condition is a scan of the table.
std::vector<std::string> conditions(
    const Table& table, const SendFunctions& send, const KeyRange& range
);

/// The condition that a row has this key.
std::string key_condition(const Table& table, const SendFunctions& send, const RowKey& key);

/// True where Postgres has an index in the store's order.
bool key_is_ordered(const Table& table);

}  // namespace veer::storage::verify
