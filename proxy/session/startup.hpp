#pragma once

#include "proxy/wire/startup.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace veer::proxy::session {

/// Send these bytes to the client and go on reading.
struct SendReply {
    std::string bytes;

    friend bool operator==(const SendReply&, const SendReply&) = default;
};

/// Send these bytes (perhaps none) in the clear; all that comes after is TLS, and call
/// on_encrypted() when hands are shaken. Without bytes to send, those that were just shown are
/// the first of it.
struct BeginTls {
    std::string bytes;

    friend bool operator==(const BeginTls&, const BeginTls&) = default;
};

/// Connect upstream and send the packet as it came; `rest` are bytes that the client sent after it.
struct ForwardStartup {
    std::string packet;
    wire::StartupMessage message;
    std::string rest;

    friend bool operator==(const ForwardStartup&, const ForwardStartup&) = default;
};

/// Connect upstream, send the packet, close everything.
struct ForwardCancel {
    std::string packet;

    friend bool operator==(const ForwardCancel&, const ForwardCancel&) = default;
};

/// Send these bytes (perhaps none) to the client and close.
struct Refuse {
    std::string bytes;

    friend bool operator==(const Refuse&, const Refuse&) = default;
};

/// Not a whole packet yet.
struct ReadMore {
    friend bool operator==(const ReadMore&, const ReadMore&) = default;
};

using StartupAction =
    std::variant<ReadMore, SendReply, BeginTls, ForwardStartup, ForwardCancel, Refuse>;

/// What clients may do and must do ([tls] mode).
struct StartupOptions {
    bool encryption_offered = false;
    bool encryption_required = false;
    bool certificate_required = false;
    bool certificate_names_user = false;  ///< its common name is the user
};

/// What the handshake found out.
struct ClientEncryption {
    std::string protocol = {};  ///< agreed by ALPN; empty: none
    bool certificate = false;
    std::string common_name = {};
};

/// The dialogue before the StartupMessage (manual 55.2.1, 55.2.10, 55.2.11):
///
///     ( SSLRequest | GSSENCRequest )?  each at most once  ──▶  StartupMessage | CancelRequest
///       │ 'S' where offered                                     ▲
///       └───────────▶ handshake ───── once more, encrypted ─────┘
///     0x16, the first byte of a handshake, as the first byte of all: TLS without being asked for
///
/// 1. Bytes that come in the same breath as SSLRequest or GSSENCRequest end the connection: a
///    plaintext stuffed before the encryption answer must never be taken for the client's
///    (CVE-2021-23214).
/// 2. Direct TLS must agree on the protocol "postgresql" (ALPN), or it could be another protocol's
///    bytes that somebody sends here.
/// 3. A CancelRequest is taken as it comes, for libpq before 17 sends it in the clear always.
/// 4. What Postgres has words for is told in them.
class Startup {
  public:
    explicit Startup(StartupOptions options = {}) : options_(options) {}

    /// `bytes` is all that is unconsumed; the action says how it goes on. After SendReply the bytes
    /// of the answered packet are gone and nothing else may be there.
    StartupAction on_bytes(wire::Bytes bytes);

    /// The handshake that BeginTls asked for is done.
    StartupAction on_encrypted(ClientEncryption encryption);

  private:
    StartupAction on_ssl_request(bool extra_bytes);
    StartupAction on_gssenc_request(bool extra_bytes);
    StartupAction refuse_second(std::uint16_t minor) const;
    std::string objection(const wire::StartupMessage& message) const;

    StartupOptions options_;
    ClientEncryption encryption_;
    bool begun_ = false;
    bool encrypted_ = false;
    bool direct_ = false;
    bool ssl_asked_ = false;
    bool gssenc_asked_ = false;
};

}  // namespace veer::proxy::session
