#pragma once

#include "proxy/net/address.hpp"
#include "proxy/net/endpoint.hpp"
#include "proxy/net/event_loop.hpp"

#include <functional>
#include <string>
#include <vector>

namespace veer::proxy::net {

/// The addresses of an endpoint, in the order in which to try them.
struct Addresses {
    std::vector<Address> found;
    std::string problem;  ///< where there is none
};

/// What needs no look-up: an IP address, or a Unix socket.
Addresses find_at_once(const Endpoint& endpoint);

/// Asks the system, on a thread that Asio keeps for it because the system waits. `done` is called
/// on the loop's thread.
void look_up(EventLoop& loop, const Endpoint& endpoint, std::function<void(Addresses)> done);

}  // namespace veer::proxy::net
