#pragma once

#include "proxy/net/endpoint.hpp"

#include <sys/socket.h>

#include <optional>
#include <string>

namespace veer::proxy::net {

/// Where a socket connects to: an IPv4, IPv6 or Unix address.
struct Address {
    sockaddr_storage storage = {};
    socklen_t bytes = 0;

    int family() const { return storage.ss_family; }

    friend bool operator==(const Address& a, const Address& b);
};

/// The Unix socket of a directory; none where its path is too long for one.
std::optional<Address> unix_address(const Endpoint& endpoint);

}  // namespace veer::proxy::net
