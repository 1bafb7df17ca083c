#pragma once

#include "router/complaint.hpp"
#include "router/search_order.hpp"
#include "router/session_facts.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace veer::proxy::session {

/// Nanoseconds of a clock that never goes back. An input everywhere: sessions have no clock.
struct Instant {
    std::int64_t nanoseconds = 0;

    friend auto operator<=>(const Instant&, const Instant&) = default;
};

/// Please call on_waited() once the index has applied `position`, or at `deadline`.
struct Wait {
    storage::Lsn position;
    Instant deadline;

    friend bool operator==(const Wait&, const Wait&) = default;
};

/// Please carry it out, here or on another thread, and call on_found() with the number.
struct PendingSearch {
    std::uint64_t number = 0;
    router::SearchOrder order;
    /// Then on_found() is called without rows, should there be none yet: another server may be
    /// slow.
    std::optional<Instant> deadline = std::nullopt;
    /// A search of veer's own index gives up by itself.
    std::optional<Instant> gives_up = std::nullopt;
};

/// Please carry it out on a thread that may wait for a disk, and call on_changed() with the number.
struct PendingChange {
    std::uint64_t number = 0;
    std::function<std::optional<router::Complaint>()> make;  ///< it may outlive the session
};

/// What a session wants done, after one event: bytes to write, in order, to either side, and more.
/// At most one of `wait`, `search` and `change` is set.
struct Output {
    std::string to_client;
    std::string to_server;
    std::optional<Wait> wait;
    std::optional<PendingSearch> search;
    std::optional<PendingChange> change;
    bool close = false;  ///< both sides, once the bytes are written
};

}  // namespace veer::proxy::session
