#pragma once

#include "proxy/net/event_loop.hpp"
#include "proxy/session/output.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <unordered_set>

namespace veer::proxy::net {

class CancelRelay;
class Connection;

/// What the connections of one thread share: their loop, and the memory that one event needs.
///
/// A connection that waits holds no buffer: bytes are read into `in`, and what a session has to say
/// is gathered in `output`; both are free again when the event is over.
struct Worker {
    /// Of one read: large enough that bulk data costs few calls.
    static constexpr std::size_t in_bytes = std::size_t{64} * 1024;

    Worker() {
        // Half of one session's words must never become another's.
        loop.on_task_failure = [this] {
            output = {};
        };
    }

    EventLoop loop;
    std::unordered_set<std::shared_ptr<Connection>> connections;
    std::unordered_set<std::shared_ptr<CancelRelay>> cancels;
    std::array<char, in_bytes> in{};
    session::Output output;
};

}  // namespace veer::proxy::net
