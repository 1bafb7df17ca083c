#pragma once

#include "proxy/net/event_loop.hpp"
#include "proxy/net/look_up.hpp"
#include "proxy/net/pipe.hpp"
#include "proxy/net/upstream_connector.hpp"
#include "proxy/net/upstream_handshake.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace veer::proxy::net {

/// Opens one connection to Postgres that is ready for its first packet: connected, and encrypted as
/// UpstreamTls has it. A Unix socket is never encrypted, as in libpq.
///
///     connect ─▶ handshake ─▶ done
///        ▲           └─ broken, and in the clear will do
///        └───────────────┘◀── open_other_way(): the server has refused the first packet
///
/// `done` is called as UpstreamConnector's is; the owner keeps the opener alive until then, and
/// retires it.
class UpstreamOpener : private EventLoop::Handler {
  public:
    struct Opened {
        Socket socket;  ///< not open: see problem
        TlsLayer layer;
        Address address;
        Endpoint endpoint;
        std::string problem;
    };

    using Done = std::function<void(Opened)>;

    UpstreamOpener(EventLoop& loop, std::chrono::milliseconds timeout, UpstreamTls tls);

    ~UpstreamOpener() override { cancel(); }

    /// Before open(): told of each endpoint that could not be reached.
    void on_endpoint_failed(std::function<void(const Endpoint&)> told) {
        connector_.on_endpoint_failed = std::move(told);
    }

    void open(std::vector<Endpoint> endpoints, std::weak_ptr<void> owner, Done done);

    /// One address of this endpoint, whose host the certificate has to name.
    void open(const Address& address, const Endpoint& endpoint, Done done);

    /// The same address again, encrypted where it was not, or the other way round.
    void open_other_way(Done done);

    /// After `done`: would open_other_way() be worth a try?
    bool has_other_way() const;

    void cancel();

  private:
    void on_ready(bool readable, bool writable) override;
    void on_failure() override;
    void on_connected(UpstreamConnector::Connected connected);
    void on_bytes(std::string_view bytes);
    void on_broken();
    void again(bool encrypt);
    void finish(TlsLayer layer);
    void fail(const std::string& problem);
    void stop_shaking();

    EventLoop& loop_;
    std::chrono::milliseconds timeout_;
    UpstreamTls tls_;
    UpstreamConnector connector_;
    std::optional<UpstreamHandshake> handshake_;
    std::shared_ptr<Pipe> server_;
    EventLoop::TimerId timer_;
    Address address_;
    Endpoint endpoint_;
    bool encrypt_;
    bool other_way_tried_ = false;
    Done done_;
};

}  // namespace veer::proxy::net
