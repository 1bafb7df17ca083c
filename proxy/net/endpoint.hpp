#pragma once

#include <cstdint>
#include <string>

namespace veer::proxy::net {

/// Where Postgres listens: a host name or address with a port, or a directory with its Unix socket.
struct Endpoint {
    std::string host;
    std::uint16_t port = 5432;
    bool by_address = false;            ///< from hostaddr, where that matters
    std::string certificate_name = {};  ///< the host that its certificate has to name

    bool unix_socket() const { return !host.empty() && host.front() == '/'; }

    /// ".s.PGSQL.5432" in the directory (manual 34.1.2, host).
    std::string socket_path() const { return host + "/.s.PGSQL." + std::to_string(port); }

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace veer::proxy::net
