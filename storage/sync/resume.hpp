#pragma once

#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/store/copy_record.hpp"
#include "storage/store/sync_state.hpp"
#include "storage/sync/table_failures.hpp"
#include "storage/table.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::storage::sync {

/// What the upstream has to say about resuming, at one moment.
struct UpstreamFacts {
    std::string system_id;
    std::string database;
    std::optional<source::SlotFacts> slot;           ///< of the stored name
    std::optional<source::Publication> publication;  ///< of the stored name
    std::uint32_t timeline = 0;
    Lsn end;  ///< of the upstream's log
    bool in_recovery = false;
};

/// Returns why nothing of the stored copy can be continued, or nothing where something can:
///
///     stored ─▶ streaming? ─▶ same cluster, database? ─▶ log not shorter? ─▶ slot there and valid,
///     and not past what the store has? ─▶ publication of some table never touched? ─▶ resume
///
/// Whether the log is the same one, the stream must show (HistoryCheck). Before its first landmark
/// it cannot, and the timeline must do. Which of the tables go on, reconcile() says.
///
/// "The slot exists" proves nothing: made anew, or moved by somebody, it leaves a gap without a
/// word.
std::optional<std::string> reason_to_start_over(
    const std::optional<store::SyncState>& stored, const UpstreamFacts& upstream
);

/// Returns why the stored copy has to wait for another server, or for what this one will be, or
/// nothing. A standby that is to take over has not yet all that the copy has, and its slot, if it
/// is there already, cannot be read before the promotion: nothing of that says that the copy is
/// lost.
///
/// The copy is a primary's where it has a landmark, which no standby lets veer write. A slot that
/// the standby has of its own goes on there.
std::optional<std::string> reason_to_wait(
    const std::optional<store::SyncState>& stored, const UpstreamFacts& upstream
);

/// The farthest that veer can have moved the slot itself.
Lsn confirmed_at_most(const store::SyncState& stored);

/// What becomes of complete tables, as the catalogue is now.
struct Reconciled {
    std::vector<Table> kept;  ///< go on, as they are defined now
    TableFailures left;       ///< no longer, and why: those that are still wanted are copied again
};

/// A table goes on where the catalogue still has it with the same rows, and nothing was left out of
/// its publication since `fingerprint`.
Reconciled reconcile(
    const std::vector<Table>& complete,
    const std::string& fingerprint,
    const std::vector<Table>& wanted,
    const source::Publication& publication
);

/// The table with whose copy one may go on that was cut short; nothing where it has to begin anew.
/// While pages of it are still to be read, its file has to be the same one.
std::optional<Table> continued(
    const store::CopyRecord& record,
    const std::vector<Table>& wanted,
    const source::Publication& publication
);

/// False where the copy may have rows of commits that the upstream's log, as it is now, does not
/// have: it ends before the newest snapshot, or is another timeline, and the stream, whose history
/// is checked, had not come as far as that snapshot.
bool in_history(
    const store::CopyRecord& record, const store::SyncState& stored, std::uint32_t timeline, Lsn end
);

/// Returns in words why a copy of the one list does not do for the other, or nothing. What goes on
/// without a copy: a table that leaves (but not the last one), other columns, names, privileges.
std::optional<std::string> reason_to_copy(
    const std::vector<Table>& before, const std::vector<Table>& now
);

/// Returns null where the table is not among them.
const Table* find_table(const std::vector<Table>& tables, TableOid oid);

/// Compares two lists; returns in words what differs at all, or nothing.
std::optional<std::string> difference(
    const std::vector<Table>& before, const std::vector<Table>& now
);

}  // namespace veer::storage::sync
