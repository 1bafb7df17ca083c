#pragma once

#include "config/config.hpp"
#include "proxy/net/security.hpp"
#include "proxy/secret_store.hpp"

#include <string>

namespace veer::proxy {

/// Reads the certificates, keys and secrets that a configuration names, and makes them hold for
/// every connection from now on. Empty where that worked; else a sentence, and what held before
/// still holds.
std::string apply_security(
    const config::Config& config, SecretStore& secrets, net::SecurityPolicy& policy
);

}  // namespace veer::proxy
