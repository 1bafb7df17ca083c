#pragma once

#include "storage/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace veer::storage::source {

struct Host {
    std::string name;  ///< host name, address, or directory of a Unix socket
    std::uint16_t port = 5432;

    friend bool operator==(const Host&, const Host&) = default;
};

/// The servers that a libpq connection string names, in its order (manual 34.1.1.3), with libpq's
/// own defaults and environment variables applied. `hostaddr` beats `host`.
struct ConnectionTarget {
    std::vector<Host> hosts;
    std::string database;
};

/// An error says what libpq does not understand; it never repeats the string, which may hold a
/// password.
Result<ConnectionTarget> parse_connection_string(const std::string& dsn);

}  // namespace veer::storage::source
