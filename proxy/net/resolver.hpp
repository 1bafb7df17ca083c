#pragma once

#include "proxy/net/address.hpp"
#include "proxy/net/endpoint.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace veer::proxy::net {

/// Looks host names up on a thread of its own, because the system's way of doing so waits.
class Resolver {
  public:
    struct Found {
        std::vector<Address> addresses;
        std::string problem;  ///< where there is none
    };

    using Done = std::function<void(const Found& found)>;

    Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    ~Resolver() { stop(); }

    /// No answer comes after it. Waits for the look-up that is going on.
    void stop();

    /// What needs no look-up: an IP address, or a Unix socket.
    static Found find_at_once(const Endpoint& endpoint);

    /// Calls `done` on the resolver's thread. Thread-safe. Those who ask for the same endpoint
    /// while they wait get the same answer.
    void find(const Endpoint& endpoint, Done done);

  private:
    struct Question {
        Endpoint endpoint;
        std::vector<Done> waiting;
    };

    void answer_questions();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Question> questions_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace veer::proxy::net
