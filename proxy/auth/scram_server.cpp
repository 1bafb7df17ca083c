#include "proxy/auth/scram_server.hpp"

namespace veer::proxy::auth {

namespace {

constexpr std::string_view binding_type = "tls-server-end-point";

ScramProblem malformed() {
    return {.sqlstate = "08P01", .message = "malformed SCRAM message"};
}

}  // namespace

std::optional<ScramProblem> ScramServer::read_flag(std::string_view& message, bool plus) {
    const bool offered = !options_.channel_binding.empty();
    if (message.starts_with("p=")) {
        const std::string_view type = *take_attribute(message, 'p');
        if (!plus) {
            return malformed();
        }
        if (type != binding_type) {
            return ScramProblem{
                .sqlstate = "08P01",
                .message = "unsupported SCRAM channel-binding type \"" + std::string(type) + "\""};
        }
        binding_used_ = true;
        return std::nullopt;
    }
    if (plus || (!message.starts_with("n,") && !message.starts_with("y,"))) {
        return malformed();
    }
    if (message[0] == 'y' && offered) {
        // It could bind and was told that this server cannot: somebody in between has lied.
        return ScramProblem{
            .sqlstate = "28000", .message = "SCRAM channel binding negotiation error"};
    }
    message.remove_prefix(2);
    return std::nullopt;
}

ScramServer::Reply ScramServer::on_first(
    std::string_view mechanism, std::string_view message, ScramSecret secret, bool mock
) {
    const bool plus = mechanism == scram_plus && !options_.channel_binding.empty();
    if (!plus && mechanism != scram_plain) {
        return ScramProblem{
            .sqlstate = "08P01",
            .message = "client selected an invalid SASL authentication mechanism"};
    }
    secret_ = std::move(secret);
    mock_ = mock;
    const std::string_view whole = message;
    if (whole.size() > scram_message_bytes_max) {
        return malformed();
    }
    if (auto problem = read_flag(message, plus)) {
        return *std::move(problem);
    }
    if (message.starts_with("a=")) {
        return ScramProblem{
            .sqlstate = "0A000",
            .message = "client uses authorization identity, but it is not supported"};
    }
    if (!message.starts_with(',')) {
        return malformed();
    }
    message.remove_prefix(1);
    gs2_header_ = whole.substr(0, whole.size() - message.size());
    const std::string bare(message);
    if (message.starts_with("m=")) {
        return ScramProblem{
            .sqlstate = "0A000", .message = "client requires an unsupported SCRAM extension"};
    }
    const auto user = take_attribute(message, 'n');  // the start-up message's counts
    const auto nonce = take_attribute(message, 'r');
    if (!user || !nonce) {
        return malformed();
    }
    if (!is_scram_nonce(*nonce)) {
        return ScramProblem{
            .sqlstate = "08P01", .message = "non-printable characters in SCRAM nonce"};
    }
    whole_nonce_ = std::string(*nonce) + options_.nonce;
    const std::string challenge = "r=" + whole_nonce_ + ",s=" + base64(secret_.salt) +
                                  ",i=" + std::to_string(secret_.iterations);
    auth_message_ = bare + ',' + challenge + ',';
    return challenge;
}

std::optional<ScramProblem> ScramServer::check_binding(std::string_view value) const {
    if (base64(gs2_header_ + (binding_used_ ? options_.channel_binding : "")) == value) {
        return std::nullopt;
    }
    if (binding_used_) {
        return ScramProblem{.sqlstate = "28000", .message = "SCRAM channel binding check failed"};
    }
    return ScramProblem{
        .sqlstate = "08P01",
        .message = "unexpected SCRAM channel-binding attribute in client-final-message"};
}

ScramServer::Reply ScramServer::on_final(std::string_view message) {
    const std::string_view whole = message;
    const auto binding = take_attribute(message, 'c');
    if (!binding || whole.size() > scram_message_bytes_max) {
        return malformed();
    }
    if (auto problem = check_binding(*binding)) {
        return *std::move(problem);
    }
    const auto nonce = take_attribute(message, 'r');
    if (!nonce) {
        return malformed();
    }
    if (*nonce != whole_nonce_) {
        return ScramProblem{.sqlstate = "08P01", .message = "invalid SCRAM response"};
    }
    const std::size_t proof_at = message.rfind("p=");
    if (proof_at == std::string_view::npos || (proof_at > 0 && message[proof_at - 1] != ',')) {
        return malformed();
    }
    auto proof = from_base64(message.substr(proof_at + 2));
    if (!proof || proof->size() != Key::size) {
        return malformed();
    }
    // All but ",p=...".
    auth_message_ += whole.substr(0, whole.size() - (message.size() - proof_at) - 1);
    Key client_key = Key::from(*proof);
    client_key ^= hmac(secret_.stored_key.view(), auth_message_);
    wipe(*proof);
    if (!(sha256(client_key.view()) == secret_.stored_key) || mock_) {
        return ScramProblem{};
    }
    client_key_ = client_key;
    return "v=" + base64(hmac(secret_.server_key.view(), auth_message_).view());
}

}  // namespace veer::proxy::auth
