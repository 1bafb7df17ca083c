#pragma once

#include "proxy/net/pipe.hpp"
#include "proxy/net/shared.hpp"
#include "proxy/net/upstream_connector.hpp"
#include "proxy/session/session.hpp"
#include "proxy/session/startup.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace veer::proxy::net {

/// One client and its own connection to Postgres: sockets, buffers and timers around a Session.
///
///     accept ─▶ start-up packets ─▶ connect upstream ─▶ relay ◀─▶ Session ─▶ close
///                    └─ CancelRequest: connect, send, close
///
/// Invariants:
/// 1. All members are used on one thread, that of the client socket's io_context.
/// 2. The object lives as long as one of its operations is pending; the last one to end destroys
/// it.
/// 3. Nothing is decided here: bytes and instants go to Startup and Session, their output is
/// carried out.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Shared& shared, Socket client);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    void start();

  private:
    void read_startup();
    void on_startup_bytes(std::size_t count);
    void begin_session(const session::ForwardStartup& forward);
    void relay_cancel(const session::ForwardCancel& cancel);
    void reject(const std::string& bytes);
    void arm_deadline(std::chrono::milliseconds after);

    void read_client();
    void read_server();
    void on_client_read(boost::system::error_code error, std::size_t count);
    void on_server_read(boost::system::error_code error, std::size_t count);
    void carry_out(session::Output& output);
    void end_upstream_if_done();
    void flush(Pipe& pipe);
    void on_writable(Pipe& pipe, boost::system::error_code error);
    void wait_for(const session::Wait& wait);
    void on_waited(std::uint64_t wait);
    void finish();

    Shared& shared_;
    Pipe client_;
    std::optional<Pipe> server_;
    UpstreamConnector connector_;
    session::Startup startup_;
    std::string startup_bytes_;
    std::optional<session::Session> session_;
    session::Output output_;
    boost::asio::steady_timer timer_;
    std::uint64_t wait_ = 0;  ///< number of the wait that is on; older wake-ups are stale
    index::Replica::WaiterId waiter_ = 0;
    bool counted_ = false;
    bool closing_ = false;
};

}  // namespace veer::proxy::net
