#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/sync/table_failures.hpp"

#include <functional>
#include <optional>

namespace veer::storage::sync {

/// Finds the row as it was before the transaction.
using RowLookup = std::function<Result<std::optional<Row>>(TableOid, const RowKey&)>;

/// True where a value of the row is to be found elsewhere.
bool has_unchanged(const Change& change);

struct Resolved {
    Transaction transaction;
    TableFailures lost;  ///< tables of which a row was not known; nothing of them is left
};

/// Replaces every UnchangedVector and UnchangedValue by the value that the row had: earlier in the
/// transaction, or else before it.
///
///     insert id=1 emb=A ─▶ update id=1 emb=u ─▶ update id=1→2 emb=u ─▶ ...
///          A                    A, from the line before     A, by the old key
///
/// Where the row is not known, the copy of its table is not what it should be, and must be made
/// again: a vector is never made up.
Result<Resolved> resolve_unchanged(Transaction transaction, const RowLookup& lookup);

}  // namespace veer::storage::sync
