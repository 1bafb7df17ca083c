#pragma once

#include "proxy/auth/scram_secret.hpp"

#include <cstdint>
#include <string>

namespace veer::proxy::auth {

/// What only somebody with the password can compute (RFC 5802, section 3).
struct Derived {
    ScramSecret secret;
    Key client_key;
};

Derived derive(const std::string& password, const std::string& salt, std::uint32_t iterations);

/// As it stands in pg_authid.
std::string to_text(const ScramSecret& secret);

}  // namespace veer::proxy::auth
