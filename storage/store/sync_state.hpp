#pragma once

#include "storage/lsn.hpp"
#include "storage/table.hpp"

#include <string>
#include <vector>

namespace veer::storage::store {

/// How much of the copy is in the store. Only `streaming` is resumed after a restart.
enum class CopyPhase : std::uint8_t {
    copying = 1,    ///< rows are missing: the next run starts anew
    streaming = 2,  ///< every row as of `applied`
};

/// What the rows in the store are a copy of, and as of when.
struct SyncState {
    std::string system_id;  ///< pg_control_system().system_identifier of the upstream
    std::string database;
    std::string slot;
    std::string publication;
    /// Catalogue versions of the publication: a publication that was altered or made anew has
    /// another one, and what it left out in between is not known.
    std::string publication_fingerprint;
    CopyPhase phase = CopyPhase::copying;
    Lsn applied;  ///< every transaction that ends at or before it is in the rows
    std::vector<Table> tables;
};

}  // namespace veer::storage::store
