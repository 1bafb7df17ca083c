#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"

#include <functional>
#include <optional>

namespace veer::storage::sync {

/// Finds the row as it was before the transaction.
using RowLookup = std::function<Result<std::optional<Row>>(TableOid, const RowKey&)>;

/// Replaces every UnchangedVector by the value that the row had: earlier in the transaction, or
/// else before it.
///
///     insert id=1 emb=A ─▶ update id=1 emb=u ─▶ update id=1→2 emb=u ─▶ ...
///          A                    A, from the line before     A, by the old key
///
/// Fails with Errc::gone where the row is not known: then the copy is not what it should be, and a
/// vector must never be made up.
Result<Transaction> resolve_unchanged(Transaction transaction, const RowLookup& lookup);

}  // namespace veer::storage::sync
