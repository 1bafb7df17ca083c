#pragma once

#include "storage/error.hpp"

#include <cstdint>
#include <string>

namespace veer::storage::source {

/// sslmode of libpq (manual 34.19.3).
enum class SslMode : std::uint8_t { disable, allow, prefer, require, verify_ca, verify_full };

/// What a libpq connection string says of TLS, with libpq's defaults, environment variables and
/// files in ~/.postgresql applied. Paths of files that are not there by default are empty.
struct TlsOptions {
    SslMode mode = SslMode::prefer;
    bool direct = false;              ///< sslnegotiation=direct: no SSLRequest before the handshake
    bool server_name = true;          ///< sslsni
    bool system_authorities = false;  ///< sslrootcert=system
    std::string authorities;          ///< sslrootcert; empty: the server is not verified
    std::string certificate;          ///< sslcert
    std::string key;                  ///< sslkey
    std::string key_password;         ///< sslpassword
    std::string revoked;              ///< sslcrl
};

/// Errors are libpq's own, and repeat no password. Options that came after libpq 15 are understood
/// whichever libpq is installed.
Result<TlsOptions> parse_tls_options(const std::string& dsn);

/// The string for veer's own connections: what the installed libpq does not know is taken out, or
/// said in a way that it knows.
std::string for_installed_libpq(const std::string& dsn);

/// Takes one keyword out of a connection string of either form; its last value is returned, empty
/// where it does not occur.
std::string take_keyword(std::string& dsn, const std::string& keyword);

}  // namespace veer::storage::source
