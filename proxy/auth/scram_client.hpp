#pragma once

#include "proxy/auth/scram.hpp"
#include "proxy/auth/scram_secret.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace veer::proxy::auth {

/// The client's side of one SCRAM exchange, with the keys in place of the password: they fit as
/// long as the server keeps the very secret that they were proven against.
class ScramClient {
  public:
    struct Options {
        /// tls-server-end-point of the server's certificate; empty: this client cannot bind.
        std::string channel_binding;
        std::string nonce;  ///< of make_scram_nonce()
        /// Empty towards Postgres, which takes the start-up message's.
        std::string user = {};
    };

    enum class Failure : std::uint8_t {
        malformed,       ///< no SCRAM message, or one of another exchange
        other_secret,    ///< the server has another salt or count than the secret
        not_this_server  ///< it does not know the secret
    };

    using Reply = std::variant<std::string, Failure>;

    ScramClient(Options options, ScramSecret secret, const Key& client_key);

    /// The mechanism to choose where the server offers both, or not.
    std::string_view mechanism() const;

    /// client-first.
    std::string first();

    /// server-first; the reply is client-final. The client's key is wiped by then.
    Reply on_challenge(std::string_view message);

    /// server-final; empty where all is well.
    std::optional<Failure> on_final(std::string_view message) const;

  private:
    Options options_;
    ScramSecret secret_;
    Key client_key_;
    std::string gs2_header_;
    std::string auth_message_;
};

}  // namespace veer::proxy::auth
