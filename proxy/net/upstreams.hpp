#pragma once

#include "proxy/net/endpoint.hpp"
#include "storage/source/connection_string.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

namespace veer::proxy::net {

using TargetSessionAttrs = storage::source::TargetSessionAttrs;

/// What a host was last seen to be.
enum class HostRole : std::uint8_t {
    unknown,      ///< not looked at yet
    unreachable,  ///< refuses, or does not answer
    unreadable,   ///< answers, but does not tell veer what it is
    primary,      ///< sessions may write
    read_only,    ///< a primary whose sessions are read-only by default
    standby,      ///< in recovery
};

/// The servers of the DSN, and which of them a new session is to try, in which order (manual
/// 34.1.1.3 and target_session_attrs in 34.1.2).
///
/// A client's own login is relayed and cannot be played again on another host: with SCRAM and MD5
/// the answer fits one server's question. So the choice is made before it, by roles that veer's own
/// connections have seen (HostWatch); a role may have changed a moment ago, as with libpq.
///
/// Thread-safe.
class Upstreams {
  public:
    using Clock = std::chrono::steady_clock;

    /// A host that did not take a connection is tried last for so long.
    static constexpr std::chrono::seconds avoided_for{5};

    Upstreams(std::vector<Endpoint> hosts, TargetSessionAttrs wanted, bool shuffled);

    const std::vector<Endpoint>& hosts() const { return hosts_; }

    /// Each host with what it was last seen to be.
    std::vector<std::pair<Endpoint, HostRole>> roles();

    /// Must roles be known?
    bool needs_roles() const { return wanted_ != TargetSessionAttrs::any; }

    /// The hosts that fit, best first. None: none fits, or no role is known yet.
    std::vector<Endpoint> candidates(Clock::time_point now);

    /// Says what became of an attempt to connect.
    void note_failure(const Endpoint& host, Clock::time_point now);

    void note_role(const Endpoint& host, HostRole role);

    /// Calls `looked` once, on some thread, when a host has been looked at again.
    void await_look(std::function<void()> looked);

  private:
    struct State {
        HostRole role = HostRole::unknown;
        Clock::time_point avoided_until = {};
    };

    std::optional<int> rank(HostRole role) const;

    std::vector<Endpoint> hosts_;
    TargetSessionAttrs wanted_;
    bool shuffled_;
    std::mutex mutex_;
    std::vector<State> states_;  // of hosts_
    std::vector<std::function<void()>> waiting_;
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace veer::proxy::net
