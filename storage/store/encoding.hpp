#pragma once

#include "storage/row.hpp"
#include "storage/store/sync_state.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// The bytes in the store. Format 4:
///
///     key    "m" name                         meta: "format", "instance", "state", "applied",
///                                              "history"
///            "r" be32(table oid) RowKey       one row
///            "s" ...                          spool.hpp
///
///     value of a row, for each of Table::vectors, then for each of Table::copied:
///            u8 0                             NULL
///            u8 1, be32 dims, dims * float32                          vector, halfvec
///            u8 2                             NULL of a copied column
///            u8 3, be32 length, bytes         its value in its type's binary send format
///            u8 4, be32 length, uint64 for each 64 bits               bit
///            u8 5, be32 dims, be32 n, n * uint32 index, n * float32   sparsevec
///            u8 6, be32 length, digest                                not to be read
///            u8 7, be32 length, digest, then as 1                     read from another type
///        items as they lie in memory, little-endian
///
/// Every decoder returns nothing where the bytes are not what its encoder wrote.
namespace veer::storage::store {

std::string meta_key(std::string_view name);
std::string row_prefix(TableOid table);
std::string row_key(TableOid table, std::string_view key);

/// Returns the least key that is greater than every key with this prefix. Requires a last byte
/// below 255 somewhere in the prefix, which "m", "r" and "s" see to.
std::string after_prefix(std::string prefix);

/// About how long a row's key and value are.
std::size_t stored_bytes(const Row& row);

/// All but the key. Returns nothing where a vector or value is unchanged: that must be resolved
/// before it is stored.
std::optional<std::string> encode_row(const Row& row);
std::optional<Row> decode_row(RowKey key, std::string_view bytes);

/// Encodes all but `applied` and `history`, which are keys of their own: they move with the rows.
std::string encode_state(const SyncState& state);
std::optional<SyncState> decode_state(std::string_view bytes);

std::string encode_history(const History& history);
std::optional<History> decode_history(std::string_view bytes);

std::string encode_lsn(Lsn lsn);
std::optional<Lsn> decode_lsn(std::string_view bytes);

}  // namespace veer::storage::store
