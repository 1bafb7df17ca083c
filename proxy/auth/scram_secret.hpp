#pragma once

#include "proxy/auth/crypto.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::auth {

/// What Postgres keeps of a password in pg_authid.rolpassword (manual 53.8):
///
///     SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY
///
/// It proves a password, but logs nobody in: for that a client's proof is needed as well.
struct ScramSecret {
    std::uint32_t iterations = 4096;
    std::string salt;
    Key stored_key;
    Key server_key;

    friend bool operator==(const ScramSecret&, const ScramSecret&) = default;
};

/// Empty where the text is no such secret (an MD5 hash, a plain password, nothing).
std::optional<ScramSecret> parse_scram_secret(std::string_view text);

/// For a user who is not known: looks to a client like anybody's, and always the same for the same
/// user as long as `server_secret` stays the same. No proof fits it.
ScramSecret make_mock_secret(std::string_view server_secret, std::string_view user);

}  // namespace veer::proxy::auth
