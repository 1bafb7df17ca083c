#pragma once

#include "storage/lsn.hpp"
#include "storage/row.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Changes to a table that is being copied, kept in the store until the copy is there:
///
///     key    "s" be32(table oid) be64(commit LSN) be32(place in the transaction)
///
///     value  u8 'u', u8 has old key, sized old key, sized key, for each vector and then value:
///                    u8 0 a vector, 1 unchanged, 2 a copied value, 3 unchanged; sized bytes of
///                    encode_row() with nothing else in it
///            u8 'd', sized key
///            u8 't'
namespace veer::storage::store {

/// Where a change stands in the spool of its table.
struct SpoolPlace {
    Lsn commit_lsn;
    std::uint32_t place = 0;

    // clang-tidy 14 takes the 0 of a rewritten < for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const SpoolPlace&, const SpoolPlace&) = default;
};

/// Beside all spools, as no table has the oid zero, and gone with them: what is known of the copy
/// whose changes are spooled.
inline constexpr std::string_view copy_key{"s\0\0\0\0copy", 9};
inline constexpr std::string_view unreadable_key{"s\0\0\0\0unreadable", 15};

std::string spool_prefix(TableOid table);
std::string spool_key(TableOid table, SpoolPlace place);

/// Reads a key's place; nothing where it is not one of this table.
std::optional<SpoolPlace> decode_spool_place(TableOid table, std::string_view key);

/// Requires a change of one table.
std::string encode_change(const Change& change);
std::optional<Change> decode_change(TableOid table, std::string_view bytes);

}  // namespace veer::storage::store
