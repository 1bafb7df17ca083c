#pragma once

#include "proxy/net/tls_layer.hpp"
#include "proxy/session/startup.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::net {

/// How clients are met; a reload makes a new one for those who come later.
struct ListenTls {
    session::StartupOptions options;
    std::shared_ptr<const TlsContext> context;  ///< required where encryption is offered
};

/// A client's first bytes up to its first packet that goes upstream: Startup, and the handshake
/// that it may ask for. Bytes in, bytes out; no socket.
class Greeting {
  public:
    explicit Greeting(std::shared_ptr<const ListenTls> tls)
        : tls_(std::move(tls)), startup_(tls_->options) {}

    /// Takes what the socket gave, and appends what it has to get. The action is ReadMore,
    /// ForwardStartup, ForwardCancel, or Refuse with its bytes sealed and appended already.
    session::StartupAction on_bytes(std::string_view from_socket, std::string& to_socket);

    /// In the middle of a handshake nothing can be said, neither in the clear nor otherwise.
    bool can_be_told() const { return !handshake_.has_value(); }

    const TlsLayer& layer() const { return layer_; }

    /// What the client's bytes go through from now on.
    TlsLayer take_layer() { return std::move(layer_); }

    /// Why a handshake failed, for the log; empty where none did.
    const std::string& problem() const { return problem_; }

  private:
    session::StartupAction shake_hands(std::string_view from_socket, std::string& to_socket);
    session::StartupAction on_plaintext(std::string_view bytes, std::string& to_socket);

    std::shared_ptr<const ListenTls> tls_;
    session::Startup startup_;
    std::string unconsumed_;
    std::optional<Tls> handshake_;
    TlsLayer layer_;
    std::string problem_;
};

}  // namespace veer::proxy::net
