#include "proxy/auth/scram_client.hpp"

namespace veer::proxy::auth {

ScramClient::ScramClient(Options options, ScramSecret secret, const Key& client_key)
    : options_(std::move(options)), secret_(std::move(secret)), client_key_(client_key) {
    // "n" and not "y" where nothing is bound: the server may well offer it.
    gs2_header_ = options_.channel_binding.empty() ? "n,," : "p=tls-server-end-point,,";
}

std::string_view ScramClient::mechanism() const {
    return options_.channel_binding.empty() ? scram_plain : scram_plus;
}

std::string ScramClient::first() {
    auth_message_ = "n=" + options_.user + ",r=" + options_.nonce;
    return gs2_header_ + auth_message_;
}

ScramClient::Reply ScramClient::on_challenge(std::string_view message) {
    const std::string whole(message);
    const auto nonce = take_attribute(message, 'r');
    const auto salt = take_attribute(message, 's');
    const auto iterations = take_attribute(message, 'i');
    if (!nonce || !salt || !iterations || whole.size() > scram_message_bytes_max ||
        !is_scram_nonce(*nonce) || !nonce->starts_with(options_.nonce) ||
        nonce->size() == options_.nonce.size()) {
        return Failure::malformed;
    }
    if (*salt != base64(secret_.salt) || *iterations != std::to_string(secret_.iterations)) {
        return Failure::other_secret;
    }
    const std::string without_proof =
        "c=" + base64(gs2_header_ + options_.channel_binding) + ",r=" + std::string(*nonce);
    auth_message_ += ',' + whole + ',' + without_proof;
    Key proof = client_key_;
    client_key_ = {};
    proof ^= hmac(secret_.stored_key.view(), auth_message_);
    return without_proof + ",p=" + base64(proof.view());
}

std::optional<ScramClient::Failure> ScramClient::on_final(std::string_view message) const {
    const std::string expected =
        "v=" + base64(hmac(secret_.server_key.view(), auth_message_).view());
    if (message.starts_with("v=")) {
        return message.substr(0, message.find(',')) == expected
                   ? std::nullopt
                   : std::optional(Failure::not_this_server);
    }
    return Failure::malformed;
}

}  // namespace veer::proxy::auth
