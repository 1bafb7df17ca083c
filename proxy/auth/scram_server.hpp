#pragma once

#include "proxy/auth/scram.hpp"
#include "proxy/auth/scram_secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace veer::proxy::auth {

/// The server's side of one SCRAM exchange, with a stored secret in place of the password. What it
/// learns of a client that proves its password is the client's own key, with which the client can
/// be logged in elsewhere (as PgBouncer does): whoever keeps it must wipe it.
///
///     Start ──on_first()──▶ Challenged ──on_final()──▶ Ended
///
/// Its complaints have the words and SQLSTATEs of Postgres (auth-scram.c).
class ScramServer {
  public:
    struct Options {
        /// tls-server-end-point of the certificate that this client was shown; empty: channel
        /// binding is not offered.
        std::string channel_binding;
        std::string nonce;  ///< of make_scram_nonce()
    };

    /// Bytes for the client, or why there are none.
    using Reply = std::variant<std::string, ScramProblem>;

    explicit ScramServer(Options options) : options_(std::move(options)) {}

    /// client-first, under the mechanism that the client has chosen. Requires to be the first call.
    Reply on_first(
        std::string_view mechanism, std::string_view message, ScramSecret secret, bool mock
    );

    /// client-final. A wrong proof is a problem without SQLSTATE: its text is the caller's.
    Reply on_final(std::string_view message);

    /// After on_final() has replied: ClientKey. Once: it is not kept.
    Key take_client_key() { return std::exchange(client_key_, Key()); }

  private:
    std::optional<ScramProblem> read_flag(std::string_view& message, bool plus);
    std::optional<ScramProblem> check_binding(std::string_view value) const;

    Options options_;
    ScramSecret secret_;
    bool mock_ = false;
    std::string gs2_header_;
    bool binding_used_ = false;
    std::string auth_message_;  // as far as it has come
    std::string whole_nonce_;
    Key client_key_;
};

}  // namespace veer::proxy::auth
