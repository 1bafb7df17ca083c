#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct x509_st;

namespace veer::proxy::net {

/// What was wrong with a certificate, a key or a handshake, as a sentence without its full stop.
struct TlsProblem {
    std::string message;

    friend bool operator==(const TlsProblem&, const TlsProblem&) = default;
};

template <class T>
using TlsResult = boost::system::result<T, TlsProblem>;

/// Files in PEM of the side that clients see.
struct ServerTlsFiles {
    std::string certificate = {};  ///< with its chain
    std::string key = {};
    std::string authorities = {};  ///< who may sign client certificates; empty: none is asked for
};

/// Files in PEM, and choices, of the side that Postgres sees.
struct ClientTlsFiles {
    std::string authorities =
        {};  ///< who may sign the server's certificate; empty: it is not verified
    bool system_authorities = false;  ///< those of OpenSSL's own directory
    std::string certificate = {};     ///< empty: none is shown
    std::string key = {};
    std::string key_password = {};
    std::string revoked = {};  ///< list of revoked certificates, or empty
};

/// Certificates, keys and rules for any number of connections of one role.
///
/// Invariants:
/// 1. TLS 1.2 or newer, no compression, no renegotiation, no session tickets.
/// 2. Immutable: a reload makes a new one, connections keep theirs.
/// 3. A private key that others than its owner may read is refused, by Postgres' own rule.
class TlsContext {
  public:
    static TlsResult<std::shared_ptr<const TlsContext>> for_clients(const ServerTlsFiles& files);
    static TlsResult<std::shared_ptr<const TlsContext>> for_upstream(const ClientTlsFiles& files);

    /// tls-server-end-point (RFC 5929) of the own certificate; empty where it has none.
    const std::string& endpoint_hash() const { return endpoint_hash_; }

    ssl_ctx_st* raw() const { return context_.get(); }

    bool verifies_peer() const { return verifies_peer_; }

  private:
    struct Free {
        void operator()(ssl_ctx_st* context) const;
    };

    explicit TlsContext(ssl_ctx_st* context);

    std::unique_ptr<ssl_ctx_st, Free> context_;
    std::string endpoint_hash_;
    bool verifies_peer_ = false;
};

/// The hash of a certificate by its own signature's digest, MD5 and SHA-1 replaced by SHA-256 (RFC
/// 5929, 4.1). Empty where the signature has no digest of its own (Ed25519): no binding then.
std::string endpoint_hash_of(x509_st* certificate);

/// Takes the thread's OpenSSL errors and says the first; `fallback` where there is none.
std::string take_tls_error(const std::string& fallback);

}  // namespace veer::proxy::net
