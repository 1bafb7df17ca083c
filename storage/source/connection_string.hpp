#pragma once

#include "storage/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace veer::storage::source {

struct Host {
    std::string name;  ///< host name, address, or directory of a Unix socket
    std::uint16_t port = 5432;
    bool by_address = false;  ///< the name is from hostaddr
    std::string certificate_name =
        {};  ///< what `host` says: the name that sslmode=verify-full wants

    friend bool operator==(const Host&, const Host&) = default;
};

/// Which of several servers a session may use (manual 34.1.2, target_session_attrs).
enum class TargetSessionAttrs : std::uint8_t {
    any,
    read_write,
    read_only,
    primary,
    standby,
    prefer_standby,
};

/// The servers that a libpq connection string names, in its order (manual 34.1.1.3), with libpq's
/// own defaults and environment variables applied. `hostaddr` beats `host`.
struct ConnectionTarget {
    std::vector<Host> hosts;
    std::string database;
    TargetSessionAttrs session_attrs = TargetSessionAttrs::any;
    bool shuffled = false;  ///< load_balance_hosts = random, where this libpq has it (16)
};

/// An error says what libpq does not understand; it never repeats the string, which may hold a
/// password.
Result<ConnectionTarget> parse_connection_string(const std::string& dsn);

}  // namespace veer::storage::source
