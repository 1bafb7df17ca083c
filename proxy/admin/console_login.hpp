#pragma once

#include "proxy/admin/access.hpp"
#include "proxy/auth/scram_server.hpp"
#include "proxy/wire/frame.hpp"

#include <memory>
#include <optional>
#include <string>

namespace veer::proxy::admin {

struct ConsoleLoginOptions {
    std::string user;
    std::shared_ptr<const Access> access;
    std::string channel_binding;  ///< tls-server-end-point, where the client's leg is encrypted
    std::string nonce;            ///< of make_scram_nonce()
};

/// SCRAM-SHA-256 between StartupMessage and AuthenticationOk, by the secrets of [admin].
///
///     begin(): AuthenticationSASL ─▶ initial response ─▶ challenge ─▶ proof ─▶ role(), or the end
///
/// A user who is not listed gets the same messages as one with a wrong password.
class ConsoleLogin {
  public:
    explicit ConsoleLogin(ConsoleLoginOptions options);
    ConsoleLogin(const ConsoleLogin&) = delete;
    ConsoleLogin& operator=(const ConsoleLogin&) = delete;

    /// Wipes what it has been told.
    ~ConsoleLogin();

    void begin(std::string& out);
    void on_client(wire::Bytes bytes, std::string& out);

    /// Set once the password is proven.
    std::optional<Role> role() const { return role_; }

    /// Refused: it has been told why.
    bool over() const { return over_; }

    /// What came behind the proof: it is the console's.
    std::string take_rest() { return std::move(inbox_); }

  private:
    void on_response(wire::Bytes payload, std::string& out);
    void challenge(wire::Bytes payload, std::string& out);
    void judge(wire::Bytes payload, std::string& out);
    void refuse(std::string_view sqlstate, std::string_view message, std::string& out);

    ConsoleLoginOptions options_;
    auth::ScramServer scram_;
    std::string inbox_;
    std::optional<Role> role_;
    bool challenged_ = false;
    bool over_ = false;
};

}  // namespace veer::proxy::admin
