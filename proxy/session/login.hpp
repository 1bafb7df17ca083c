#pragma once

#include "proxy/auth/scram_client.hpp"
#include "proxy/auth/scram_server.hpp"
#include "proxy/session/output.hpp"
#include "proxy/wire/frame.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace veer::proxy::session {

struct LoginOptions {
    std::string user;
    bool client_encrypted = false;
    bool server_encrypted = false;
    bool secrets = false;        ///< SCRAM secrets can be looked up ([auth])
    std::string client_binding;  ///< tls-server-end-point of veer's certificate, where it has one
    std::string server_binding;  ///< and of the server's
    std::string server_nonce;    ///< for the client
    std::string client_nonce;    ///< for the server
    std::string mock_secret;     ///< nobody outside may know it; the same at every start
};

/// The authentication between StartupMessage and AuthenticationOk, where veer cannot just relay it
/// (WIRE.md 3.6: SCRAM's messages are signed with what each side knows of its own encryption):
///
///     client   server
///     plain    plain    relayed                   (no Login: the Session sees it from the start)
///     TLS      plain    relayed
///     plain    TLS      relayed, SCRAM-SHA-256-PLUS taken from the offer
///     TLS      TLS      SCRAM ends here, twice:   client ◀─ScramServer─▶ veer ◀─ScramClient─▶
///     server
///                       without secrets as above, for clients that know of no channel binding
///
/// Other methods (trust, password, md5, certificates of veer's own) are relayed in every case.
///
/// Invariants:
/// 1. The client hears that it is in only after the server has let it in.
/// 2. A user without a secret gets the same messages, up to the same failure as a wrong password.
/// 3. The client's key is wiped as soon as the server's challenge is answered.
/// 4. AuthenticationOk, or an ErrorResponse, and all that follows is the Session's: see done().
class Login {
  public:
    /// Is there anything to do for it?
    static bool needed(const LoginOptions& options) { return options.server_encrypted; }

    explicit Login(LoginOptions options);

    void on_client(wire::Bytes bytes, Output& out);
    void on_server(wire::Bytes bytes, Output& out);

    /// True once: please look up the secret of the user and call on_secret().
    bool take_secret_request();

    /// Nothing where there is no such user.
    void on_secret(std::optional<auth::ScramSecret> secret, Output& out);

    /// It cannot be found out at present.
    void on_secret_unavailable(Output& out);

    /// No more for this machine: what it has not consumed goes to the Session.
    bool done() const { return state_ == State::done; }

    std::string take_server_rest() { return std::move(server_in_); }

    std::string take_client_rest() { return std::move(client_in_); }

    const std::string& user() const { return options_.user; }

    /// The stored secret is not (or no more) the one that the server has: worth a warning.
    bool secret_is_stale() const { return stale_; }

  private:
    enum class State : std::uint8_t {
        relaying,
        client_first,      ///< veer has offered SCRAM to the client
        client_final,      ///< and challenged it
        server_challenge,  ///< the client has proven its password; veer logs in
        server_final,
        server_ok,
        done,
    };

    void on_server_frame(const wire::Frame& frame, Output& out);
    void on_authentication(const wire::Frame& frame, Output& out);
    void on_offer(const wire::Frame& frame, Output& out);
    void answer_challenge(wire::Bytes message, Output& out);
    void check_server(wire::Bytes message, Output& out);
    bool on_client_frame(const wire::Frame& frame, Output& out);
    void relay_response(const wire::Frame& frame, Output& out);
    void challenge_client(wire::Bytes message, Output& out);
    void judge_client(wire::Bytes message, Output& out);
    void process_client(Output& out);
    void refuse(const auth::ScramProblem& problem, Output& out);
    void fail_password(Output& out);
    void violation(wire::Bytes message, Output& out);

    LoginOptions options_;
    State state_ = State::relaying;
    std::string server_in_;
    std::string client_in_;
    bool client_pipe_ = false;  // nothing of the client is looked at any more
    bool secret_wanted_ = false;
    bool secret_known_ = false;
    bool stale_ = false;
    bool server_binds_ = false;
    std::optional<auth::ScramSecret> secret_;
    auth::ScramServer towards_client_;
    std::optional<auth::ScramClient> towards_server_;
    std::string verdict_;  // server-final for the client, kept until the server has agreed
};

}  // namespace veer::proxy::session
