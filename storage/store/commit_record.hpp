#pragma once

#include "storage/lsn.hpp"
#include "storage/row.hpp"
#include "storage/store/sync_state.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::storage::store {

/// A transaction that has committed upstream and is too large for one batch: from the moment that
/// this is in the store, it is applied to its end, whatever dies when.
///
///     its changes are durable (TransactionFiles) ─▶ record ─▶ part, part, ... ─▶ applied = end_lsn
///                                                     │         each with the        without the
///                                                     │         next one's place     record
///                                                     └───── a restart goes on from there ──┘
struct CommitRecord {
    std::uint32_t xid = 0;
    Lsn commit_lsn;
    Lsn end_lsn;
    History history;                         ///< as of `end_lsn`
    std::vector<std::uint32_t> aborted;      ///< subtransactions that do not count, in order
    std::map<TableOid, std::uint32_t> left;  ///< of these, nothing before this place counts
    std::optional<TableOid> joining;         ///< whose changes are spooled
    std::uint32_t count = 0;                 ///< changes there are
    std::uint32_t next = 0;                  ///< place of the first that is not applied yet

    friend bool operator==(const CommitRecord&, const CommitRecord&) = default;
};

/// All but `next`.
std::string encode_commit(const CommitRecord& record);
std::optional<CommitRecord> decode_commit(std::string_view bytes);

std::string encode_place(std::uint32_t place);
std::optional<std::uint32_t> decode_place(std::string_view bytes);

}  // namespace veer::storage::store
