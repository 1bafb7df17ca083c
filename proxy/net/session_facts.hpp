#pragma once

#include "proxy/net/address.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace veer::proxy::net {

/// One client and its session, as people are shown them.
struct SessionFacts {
    std::uint64_t number = 0;  ///< of the connection, since the start
    std::string user;
    std::string database;
    std::string application_name;
    std::string address;  ///< numeric; empty over a Unix socket
    std::uint16_t port = 0;
    std::string_view state;
    bool tls = false;
    std::int64_t connected_at = 0;  ///< microseconds since 1970
    std::string server_address =
        {};  ///< host, address or directory; empty where there is no server
    std::uint16_t server_port = 0;
    bool server_tls = false;
    std::uint32_t server_pid = 0;
    std::size_t unsent_bytes = 0;
    std::string_view last_engine = {};
    std::string last_reason = {};
    std::string last_route = {};
    double last_ms = 0;
    std::string route_override = {};  ///< veer.route, at the last search that asked for it
    std::string key = {};             ///< likewise
};

/// A numeric address and its port; empty and 0 of a Unix socket.
struct NumericAddress {
    std::string text;
    std::uint16_t port = 0;
    bool loopback = false;
};

NumericAddress peer_of(int descriptor);

/// True where the process at the other end of a Unix socket has this process' user id, or root's.
bool peer_is_owner(int descriptor);

}  // namespace veer::proxy::net
