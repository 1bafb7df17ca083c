#pragma once

#include "proxy/net/tls_context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;

namespace veer::proxy::net {

/// One side of one TLS connection, without a socket: whoever has the socket carries the bytes.
///
///     socket ──▶ feed() ─▶ [ OpenSSL between two memory buffers ] ─▶ read()  ──▶ plaintext
///     socket ◀── take() ◀─                                        ◀─ write() ◀── plaintext
///
/// Invariants:
/// 1. After feed(), read() is called until it gives nothing, and then take(): nothing decrypted is
///    left inside, so that no byte waits for a socket that will not become readable again.
/// 2. Inside there is never more than input_bytes_max of unread ciphertext; what is written leaves
///    with the next take().
/// 3. No record that is sent holds more than 8 KiB.
/// 4. failed and closed are for ever; in failed, take() still has the alert for the peer.
class Tls {
  public:
    static constexpr std::size_t input_bytes_max = std::size_t{256} * 1024;

    enum class Status : std::uint8_t {
        handshaking,
        open,
        closed,  ///< the peer has said that it sends no more
        failed,  ///< problem() says why
    };

    /// The server's side.
    static Tls accept(std::shared_ptr<const TlsContext> context);

    /// The client's side. `server_name` goes into the handshake in the clear (SNI); empty: none.
    static Tls connect(std::shared_ptr<const TlsContext> context, const std::string& server_name);

    Status status() const { return status_; }

    const std::string& problem() const { return problem_; }

    /// Takes ciphertext from the peer, and goes on with the handshake while there is one.
    void feed(std::string_view ciphertext);

    /// Goes on with the handshake: the client's first flight needs no input.
    void shake_hands();

    /// Moves up to `room` bytes of plaintext to `to`; 0 where there is no more for now.
    std::size_t read(char* to, std::size_t room);

    /// Encrypts. Requires status() == open or closed.
    void write(std::string_view plaintext);

    /// Says that nothing more will be written.
    void close();

    /// Appends to `out` what the peer has to get.
    void take(std::string& out);

    /// The protocol that both sides agreed on (ALPN); empty where there was no such talk.
    std::string protocol() const;

    /// Subject common name of the peer's verified certificate; empty where there is none, or where
    /// it holds a NUL byte. has_peer_certificate() tells whether there is a certificate.
    std::string peer_common_name() const;
    bool has_peer_certificate() const;

    /// Does the peer's certificate belong to this host name or address, by libpq's rules (manual
    /// 34.19.1)?
    bool peer_is(const std::string& host) const;

    /// tls-server-end-point of the server's certificate, whichever side this is.
    std::string endpoint_hash() const;

    /// "TLSv1.3".
    std::string version() const;

  private:
    struct Free {
        void operator()(ssl_st* ssl) const;
    };

    Tls(std::shared_ptr<const TlsContext> context, bool server);

    void fail(const std::string& fallback);
    void note_result(int result, const std::string& fallback);

    std::shared_ptr<const TlsContext> context_;
    std::unique_ptr<ssl_st, Free> ssl_;
    bool server_;
    Status status_ = Status::handshaking;
    std::string problem_;
};

/// Is it an IPv4 or IPv6 address, not a name?
bool is_ip_address(const std::string& host);

}  // namespace veer::proxy::net
