#pragma once

#include "storage/error.hpp"
#include "storage/source/connection.hpp"

#include <string>

namespace veer::storage::source {

/// What decides whether anything of a server can be followed.
struct ServerFacts {
    int version = 0;  ///< server_version_num
    std::string version_text;
    std::string wal_level;  ///< effective_wal_level where the server knows it
    std::string role;       ///< veer's
    bool may_replicate = false;
    bool has_rds_replication = false;  ///< the server is one where that role is granted instead
    bool in_recovery = false;
};

/// Fails with Errc::not_permitted and what exactly to change.
Result<void> judge(const ServerFacts& facts);

/// Checks what the whole upstream needs for logical replication: wal_level, the role's right to
/// replicate, that it is no standby. Fails with Errc::not_permitted and what exactly to change.
Result<void> preflight(Connection& connection);

}  // namespace veer::storage::source
