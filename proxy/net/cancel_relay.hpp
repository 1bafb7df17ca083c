#pragma once

#include "proxy/net/pipe.hpp"
#include "proxy/net/upstream_opener.hpp"
#include "proxy/net/worker.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace veer::proxy::net {

/// Takes one CancelRequest to one server, on a connection of its own.
///
///     connect ─▶ send ─▶ wait until the server closes ─▶ done
///
/// The server closes after it has signalled the backend (manual 55.2.8), so `done` means that the
/// cancel cannot hit anything that is sent from now on. It is called once, on the worker's thread,
/// also where the server cannot be reached or `timeout` passes at any step.
class CancelRelay : public std::enable_shared_from_this<CancelRelay>, public EventLoop::Handler {
  public:
    using Done = std::function<void()>;

    struct Target {
        std::vector<Endpoint> endpoints =
            {};  ///< the first that takes it, where there is no address
        Address address = {};
        Endpoint endpoint = {};  ///< of the address
    };

    /// The worker owns the relay until it is done.
    static void start(
        Worker& worker,
        const Target& target,
        std::string packet,
        std::chrono::milliseconds timeout,
        const UpstreamTls& tls,
        Done done
    );

    CancelRelay(
        Worker& worker,
        std::string packet,
        std::chrono::milliseconds timeout,
        const UpstreamTls& tls,
        Done done
    );

  private:
    void on_ready(bool readable, bool writable) override;

    void on_failure() override { finish(); }

    void on_opened(UpstreamOpener::Opened opened);
    void finish();

    Worker& worker_;
    std::string packet_;
    std::chrono::milliseconds timeout_;
    Done done_;
    UpstreamOpener opener_;
    std::unique_ptr<Pipe> server_;
    EventLoop::TimerId deadline_;
};

}  // namespace veer::proxy::net
