#pragma once

#include "index/replica.hpp"
#include "proxy/net/endpoint.hpp"
#include "proxy/session/session.hpp"
#include "router/router.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace veer::proxy::net {

/// What every connection of the process uses. Outlives them all.
struct Shared {
    router::Router& router;
    index::Replica& replica;
    std::function<void()> nudge;     ///< asks the sync to bring the stream up to the present
    std::vector<Endpoint> upstream;  ///< tried in this order
    session::SessionOptions session_options;
    std::size_t connections_max = 1000;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds startup_timeout{60'000};
    std::atomic<std::size_t> connections = 0;
};

}  // namespace veer::proxy::net
