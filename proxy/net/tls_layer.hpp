#pragma once

#include "proxy/net/tls.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::net {

/// What one side's bytes go through between socket and session: TLS, or nothing at all.
///
/// Views that are returned hold until the next call of the same kind on the same thread: they lie
/// in memory that all connections of the thread share, so that one at rest holds none.
class TlsLayer {
  public:
    TlsLayer() = default;

    /// Requires a handshake that is done.
    explicit TlsLayer(Tls tls) : tls_(std::move(tls)) {}

    bool encrypted() const { return tls_.has_value(); }

    /// All the plaintext that these bytes of the socket complete.
    std::string_view opened(std::string_view from_socket);

    /// Overwrites what the last opened() gave: it was a password.
    void wipe_opened();

    /// The bytes for the socket.
    std::string_view sealed(std::string_view plaintext);

    /// What TLS itself has to say: after opened(), and before the socket is closed.
    std::string_view own_words();

    /// The peer has ended its side, or broken it: nothing more will come.
    bool ended() const;

    /// Says goodbye to the peer with the next own_words(), once.
    void close();

    const Tls* tls() const { return tls_ ? &*tls_ : nullptr; }

  private:
    std::optional<Tls> tls_;
    bool closed_ = false;
};

}  // namespace veer::proxy::net
