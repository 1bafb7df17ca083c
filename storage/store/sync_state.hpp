#pragma once

#include "storage/lsn.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace veer::storage::store {

/// How much of the copy is in the store. Only `streaming` is resumed after a restart.
enum class CopyPhase : std::uint8_t {
    copying = 1,    ///< rows are missing: the next run starts anew
    streaming = 2,  ///< every row as of `applied`
};

/// A transaction of the stream, as its Begin message describes it: what no other history has.
struct Landmark {
    Lsn commit_lsn;
    std::int64_t timestamp = 0;
    std::uint32_t xid = 0;

    friend bool operator==(const Landmark&, const Landmark&) = default;
};

/// What shows that an upstream's log is the one that the rows were taken from.
struct History {
    std::uint32_t timeline = 0;  ///< of the upstream when last connected
    Landmark landmark;  ///< the last transaction that came with the stream; zeros before the first
    Lsn confirmed;      ///< as far as the slot was ever moved past the landmark

    friend bool operator==(const History&, const History&) = default;
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
    History history;
    std::vector<Table> tables;
};

}  // namespace veer::storage::store
