#pragma once

#include "proxy/net/tls_layer.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::net {

/// Encryption towards Postgres, as libpq's sslmode has it.
struct UpstreamTls {
    enum class When : std::uint8_t {
        never,       ///< disable
        if_refused,  ///< allow: where the server does not take the client in the clear
        if_offered,  ///< prefer: and in the clear where encryption fails
        always,      ///< require, verify-ca, verify-full
    };

    When when = When::never;
    bool direct = false;                             ///< no SSLRequest first
    bool server_name = true;                         ///< tell the host's name in the handshake
    bool verify_host = false;                        ///< verify-full
    std::shared_ptr<const TlsContext> context = {};  ///< required unless never

    bool encrypts_first() const { return when == When::if_offered || when == When::always; }

    /// Is there another way to try, after the server has refused this one?
    bool has_other_way(bool encrypted) const {
        return (when == When::if_refused && !encrypted) || (when == When::if_offered && encrypted);
    }
};

/// What comes between a new connection to Postgres and the first packet on it, encrypted. Bytes in,
/// bytes out; no socket.
///
///     SSLRequest ──▶ 'S' and not a byte more ──▶ handshake ──▶ whose certificate is it? ──▶ done
///                    'N' ──▶ in the clear, where that is allowed
///
/// What a server says before the handshake is nobody's word: an ErrorResponse ('E') is not read
/// (CVE-2024-10977), a byte after 'S' ends it all (CVE-2021-23222).
class UpstreamHandshake {
  public:
    enum class Status : std::uint8_t {
        under_way,
        done,    ///< take_layer()
        broken,  ///< problem(); may_go_plain() says whether to try again in the clear
    };

    /// `host`: as the connection string names it. Appends the first bytes to `to_socket`.
    UpstreamHandshake(const UpstreamTls& tls, std::string host, std::string& to_socket);

    Status on_bytes(std::string_view from_socket, std::string& to_socket);

    /// The server has closed the connection.
    void on_end();

    TlsLayer take_layer() { return std::move(layer_); }

    const std::string& problem() const { return problem_; }

    bool may_go_plain() const { return may_go_plain_; }

  private:
    Status fail(const std::string& problem);
    Status on_answer(std::string_view from_socket, std::string& to_socket);
    Status on_handshake(std::string_view from_socket, std::string& to_socket);

    UpstreamTls tls_;
    std::string host_;
    std::optional<Tls> handshake_;
    TlsLayer layer_;
    std::string problem_;
    bool may_go_plain_ = false;
};

}  // namespace veer::proxy::net
