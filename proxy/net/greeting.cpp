#include "proxy/net/greeting.hpp"

#include <utility>

namespace veer::proxy::net {

session::StartupAction Greeting::on_bytes(std::string_view from_socket, std::string& to_socket) {
    if (handshake_) {
        return shake_hands(from_socket, to_socket);
    }
    const std::string_view plaintext = layer_.opened(from_socket);
    to_socket += layer_.own_words();
    session::StartupAction action = on_plaintext(plaintext, to_socket);
    if (std::holds_alternative<session::ReadMore>(action) && layer_.ended()) {
        return session::Refuse{};
    }
    return action;
}

session::StartupAction Greeting::on_plaintext(std::string_view bytes, std::string& to_socket) {
    unconsumed_ += bytes;
    session::StartupAction action = startup_.on_bytes(unconsumed_);
    if (const auto* reply = std::get_if<session::SendReply>(&action)) {
        unconsumed_.clear();
        to_socket += layer_.sealed(reply->bytes);
        return session::ReadMore{};
    }
    if (const auto* begin = std::get_if<session::BeginTls>(&action)) {
        to_socket += begin->bytes;
        // Asked for, the handshake begins after the answer; unasked, it has begun.
        const std::string first = std::exchange(unconsumed_, {});
        handshake_ = Tls::accept(tls_->context);
        return shake_hands(begin->bytes.empty() ? first : "", to_socket);
    }
    if (auto* refuse = std::get_if<session::Refuse>(&action)) {
        to_socket += layer_.sealed(refuse->bytes);
        layer_.close();
        to_socket += layer_.own_words();
    }
    return action;
}

session::StartupAction Greeting::shake_hands(std::string_view from_socket, std::string& to_socket) {
    handshake_->feed(from_socket);
    handshake_->take(to_socket);
    if (handshake_->status() == Tls::Status::handshaking) {
        return session::ReadMore{};
    }
    if (handshake_->status() != Tls::Status::open) {
        problem_ = handshake_->problem();
        return session::Refuse{};
    }
    const session::ClientEncryption encryption{
        .protocol = handshake_->protocol(),
        .certificate = handshake_->has_peer_certificate(),
        .common_name = handshake_->peer_common_name()};
    layer_ = TlsLayer(*std::exchange(handshake_, std::nullopt));
    session::StartupAction action = startup_.on_encrypted(encryption);
    if (!std::holds_alternative<session::ReadMore>(action)) {
        problem_ = "the client did not agree on the protocol postgresql";
        layer_.close();
        to_socket += layer_.own_words();
        return action;
    }
    return on_bytes(
        {}, to_socket
    );  // the first packet may have come with the last of the handshake
}

}  // namespace veer::proxy::net
