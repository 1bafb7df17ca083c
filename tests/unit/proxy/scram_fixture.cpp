#include "tests/unit/proxy/scram_fixture.hpp"

#include <openssl/evp.h>

#include <array>

namespace veer::proxy::auth {

Derived derive(const std::string& password, const std::string& salt, std::uint32_t iterations) {
    std::array<unsigned char, Key::size> salted{};
    PKCS5_PBKDF2_HMAC(
        password.data(),
        static_cast<int>(password.size()),
        reinterpret_cast<const unsigned char*>(salt.data()),
        static_cast<int>(salt.size()),
        static_cast<int>(iterations),
        EVP_sha256(),
        static_cast<int>(salted.size()),
        salted.data()
    );
    const std::string_view key(reinterpret_cast<const char*>(salted.data()), salted.size());
    const Key client_key = hmac(key, "Client Key");
    return {
        .secret =
            {.iterations = iterations,
             .salt = salt,
             .stored_key = sha256(client_key.view()),
             .server_key = hmac(key, "Server Key")},
        .client_key = client_key};
}

std::string to_text(const ScramSecret& secret) {
    return "SCRAM-SHA-256$" + std::to_string(secret.iterations) + ':' + base64(secret.salt) + '$' +
           base64(secret.stored_key.view()) + ':' + base64(secret.server_key.view());
}

}  // namespace veer::proxy::auth
