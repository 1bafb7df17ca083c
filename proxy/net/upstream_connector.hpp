#pragma once

#include "proxy/net/address.hpp"
#include "proxy/net/endpoint.hpp"
#include "proxy/net/event_loop.hpp"
#include "proxy/net/look_up.hpp"
#include "proxy/net/socket.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace veer::proxy::net {

/// Opens one connection to the first endpoint that takes it, addresses of a name in the resolver's
/// order; each address has `timeout` to take it.
///
/// `done` is called once, perhaps before connect() returns: with an open socket and its address, or
/// with a sentence that says what went wrong last; not at all after cancel(). The owner keeps the
/// connector alive until then, and retires it (EventLoop::retire).
class UpstreamConnector : public EventLoop::Handler {
  public:
    struct Connected {
        Socket socket;  ///< not open: see problem
        Address address;
        Endpoint endpoint;
        std::string problem;
    };

    using Done = std::function<void(Connected connected)>;

    UpstreamConnector(EventLoop& loop, std::chrono::milliseconds timeout);

    ~UpstreamConnector() override { cancel(); }

    /// `owner` owns this; a look-up that comes too late for it is dropped.
    void connect(std::vector<Endpoint> endpoints, std::weak_ptr<void> owner, Done done);

    /// Called with each endpoint that did not take a connection.
    std::function<void(const Endpoint& endpoint)> on_endpoint_failed;

    /// To one address, by which it was reached before.
    void connect(const Address& address, Done done);

    void cancel();

  private:
    void on_ready(bool readable, bool writable) override;
    void on_failure() override;
    void next_endpoint();
    void next_address();
    void take(Addresses addresses);
    void fail(const std::string& problem);
    void finish(Connected connected);
    void stop_trying();

    EventLoop& loop_;
    std::chrono::milliseconds timeout_;
    EventLoop::Watch watch_;
    EventLoop::TimerId timer_;
    Socket socket_;
    std::vector<Endpoint> endpoints_;
    std::weak_ptr<void> owner_;
    std::size_t endpoint_ = 0;  // the next one
    std::vector<Address> addresses_;
    std::size_t address_ = 0;  // the next one
    std::string problem_;
    Done done_;
};

}  // namespace veer::proxy::net
