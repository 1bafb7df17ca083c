#pragma once

#include "storage/error.hpp"
#include "storage/lsn.hpp"
#include "storage/source/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace veer::storage::source {

/// A row of pg_replication_slots.
struct SlotFacts {
    bool usable = false;  ///< a pgoutput slot of this database that has not been invalidated
    bool active = false;
    Lsn confirmed_flush;
    std::string invalidated = {};  ///< why Postgres gave it up, if it did
    bool synced = false;  ///< kept by a standby as its primary's is; there nobody can read it
};

/// Returns nothing where there is no slot of that name.
Result<std::optional<SlotFacts>> read_slot(Connection& connection, const std::string& name);

/// Ends the session that holds the slot, if it is one of veer's own (by its application name): an
/// earlier connection whose end the server has not noticed. Fails with Errc::connection (try again)
/// where somebody else holds it.
Result<void> evict_holder(
    Connection& connection, const std::string& name, const std::string& application_name
);

/// Drops the slot, evicting veer's own holder first. No slot is fine.
Result<void> drop_slot(
    Connection& connection, const std::string& name, const std::string& application_name
);

/// Where the server's log ends at present.
Result<Lsn> log_end(Connection& connection);

/// Past every record that there is, whether it is written out or not: whoever is seen to have
/// committed has done so before.
Result<Lsn> insert_end(Connection& connection);

/// How much WAL a slot holds back; zeros where there is none, or it has been invalidated.
struct HeldWal {
    std::uint64_t total = 0;        ///< bytes from restart_lsn to the server's end
    std::uint64_t unconfirmed = 0;  ///< bytes from confirmed_flush_lsn, what veer has not stored
};

Result<HeldWal> held_wal(Connection& connection, const std::string& name);

/// Drops the slot if it still holds more than `bytes`; returns whether it did. Nobody may hold it.
Result<bool> drop_slot_over(Connection& connection, const std::string& name, std::uint64_t bytes);

/// Names slots of this database that look like another veer's and that nobody reads, which hold WAL
/// back if that veer is gone for good. Empty where there are none.
Result<std::string> idle_veer_slots(Connection& connection, const std::string& own_name);

struct CreatedSlot {
    Lsn consistent_point;  ///< the stream begins with the transactions that commit at or after it
    std::string
        snapshot_name;  ///< sees exactly those before; until the next command of `replication`
};

/// True where a slot can be one that standbys keep up with (`sync_replication_slots`), so that it
/// is there after a failover: since PostgreSQL 17, on a primary.
Result<bool> can_follow_failover(Connection& connection);

/// Makes a pgoutput slot on a replication connection, and returns where its stream begins. Waits
/// for every writing transaction that is under way, at most 30 s.
Result<Lsn> create_slot(Connection& replication, const std::string& name, bool failover);

/// The same for the life of the connection, for its snapshot's sake.
Result<CreatedSlot> create_temporary_slot(Connection& replication, const std::string& name);

/// Frees it at once; who has imported the snapshot keeps it.
Result<void> drop_temporary_slot(Connection& replication, const std::string& name);

}  // namespace veer::storage::source
