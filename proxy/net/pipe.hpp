#pragma once

#include "proxy/net/event_loop.hpp"
#include "proxy/net/socket.hpp"
#include "proxy/net/tls_layer.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace veer::proxy::net {

/// One side of a connection: a socket, and the bytes yet to be written to it.
///
/// Writes go out at once where the socket takes them; what it does not take waits in `out`, and the
/// owner stops reading the other side while too much of it waits. So a slow reader slows its writer
/// down, as it would without veer in between.
class Pipe {
  public:
    Pipe(EventLoop& loop, EventLoop::Handler& handler, Socket opened)
        : socket(std::move(opened)), watch(loop, handler) {}

    std::size_t unsent() const { return out_.size() - sent_; }

    /// Writes what the socket takes and keeps the rest. An error is the peer's end: what waits is
    /// dropped.
    std::error_code send(std::string_view bytes);

    /// The same, past the encryption: the words of a handshake, say.
    std::error_code send_as_it_is(std::string_view bytes);

    /// What the bytes of the socket mean. Says what encryption itself has to answer.
    std::string_view open(std::string_view from_socket);

    /// Tells the peer, where that is encrypted, that nothing more will be written.
    void say_goodbye();

    /// Writes of what waits, once the socket has room again.
    std::error_code send_waiting();

    /// Nothing more is written.
    void drop_waiting();

    Socket socket;
    EventLoop::Watch watch;
    TlsLayer layer;
    bool ended = false;  ///< its peer sends no more
    bool gone = false;   ///< and reads no more either

  private:
    std::string out_;
    std::size_t sent_ = 0;  // of out_
};

}  // namespace veer::proxy::net
