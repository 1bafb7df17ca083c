#pragma once

#include "index/replica.hpp"
#include "proxy/net/dialogue.hpp"
#include "proxy/net/live_sessions.hpp"
#include "proxy/net/security.hpp"
#include "proxy/net/upstreams.hpp"
#include "proxy/session/session.hpp"
#include "router/router.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>

namespace veer::proxy::net {

/// What every connection of the process uses. Outlives them all.
struct Shared {
    router::Router& router;
    index::Replica& replica;
    std::function<void()> nudge;  ///< asks the sync to bring the stream up to the present
    Upstreams& upstreams;
    SecurityPolicy security = {};  ///< replaced by a reload
    session::SessionOptions session_options;
    std::size_t connections_max = 1000;
    std::size_t session_bytes_max = std::size_t{512} * 1024;  ///< unsent of one session
    std::size_t unsent_bytes_max = std::size_t{1} << 30U;     ///< and of all together
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds authentication_timeout{60'000};
    std::chrono::milliseconds client_idle_timeout{0};  ///< 0: none

    /// Searches so long that they would hold up the other sessions of their thread.
    boost::asio::thread_pool long_searches{2};
    std::atomic<std::size_t> searches_waiting = 0;  ///< for these, or carried out by them

    /// Searches that wait for another server; Candidate::admit() bounds them.
    boost::asio::thread_pool searches_elsewhere{8};

    /// Changes that are stored before their clients hear of them, one after the other.
    boost::asio::thread_pool changes{1};

    MakeDialogue make_dialogue = {};  ///< empty: every client is the upstream's

    LiveSessions sessions = {};
    std::atomic<std::uint64_t> accepted = 0;   ///< clients since the start
    std::atomic<std::size_t> sockets = 0;      ///< clients accepted and not yet gone
    std::atomic<std::size_t> connections = 0;  ///< of these, with a session or about to have one
    std::atomic<std::size_t> cancels = 0;      ///< of these, with a CancelRequest
    std::atomic<std::size_t> dialogues = 0;    ///< of these, with veer itself
    std::atomic<std::size_t> unsent_bytes = 0;
    std::atomic<bool> draining = false;
    std::function<void()> all_gone = [] {
    };  ///< called while draining, on any thread

    /// A crowd that never says what it wants must not lock out those who want to cancel: as
    /// Postgres, veer takes twice as many connections as sessions.
    std::size_t sockets_max() const { return 2 * connections_max + 64; }

    std::size_t cancels_max() const { return connections_max; }
};

}  // namespace veer::proxy::net
