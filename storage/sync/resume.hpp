#pragma once

#include "storage/source/slot.hpp"
#include "storage/store/sync_state.hpp"
#include "storage/table.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::storage::sync {

/// What the upstream has to say about resuming, at one moment.
struct UpstreamFacts {
    std::string system_id;
    std::string database;
    std::vector<Table> tables;
    std::optional<source::SlotFacts> slot;               ///< of the stored name
    std::optional<std::string> publication_fingerprint;  ///< where it publishes what it should
    std::uint32_t timeline = 0;
    Lsn end;  ///< of the upstream's log
};

/// Returns why the stored copy cannot be continued, or nothing where it can:
///
///     stored ─▶ streaming? ─▶ same cluster, database? ─▶ log not shorter? ─▶ same tables? ─▶ slot
///     there and valid, and not past what the store has? ─▶ publication never touched? ─▶ resume
///
/// Whether the log is the same one, the stream must show (HistoryCheck). Before its first landmark
/// it cannot, and the timeline must do.
///
/// "The slot exists" proves nothing: made anew, or moved by somebody, it leaves a gap without a
/// word.
std::optional<std::string> reason_to_start_over(
    const std::optional<store::SyncState>& stored, const UpstreamFacts& upstream
);

/// The farthest that veer can have moved the slot itself.
Lsn confirmed_at_most(const store::SyncState& stored);

/// Returns in words why a copy of the one list does not do for the other, or nothing. What goes on
/// without a copy: a table that leaves (but not the last one), other columns, names, privileges.
std::optional<std::string> reason_to_copy(
    const std::vector<Table>& before, const std::vector<Table>& now
);

/// Compares two lists; returns in words what differs at all, or nothing.
std::optional<std::string> difference(
    const std::vector<Table>& before, const std::vector<Table>& now
);

}  // namespace veer::storage::sync
