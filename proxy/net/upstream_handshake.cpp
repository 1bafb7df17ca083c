#include "proxy/net/upstream_handshake.hpp"

#include <utility>

namespace veer::proxy::net {

using namespace std::string_view_literals;

namespace {

constexpr std::string_view ssl_request = "\0\0\0\x08\x04\xd2\x16\x2f"sv;

std::string name_for_handshake(const UpstreamTls& tls, const std::string& host) {
    return tls.server_name && !is_ip_address(host) ? host : "";
}

}  // namespace

UpstreamHandshake::UpstreamHandshake(
    const UpstreamTls& tls, std::string host, std::string& to_socket
)
    : tls_(tls), host_(std::move(host)) {
    if (tls_.direct) {
        handshake_ = Tls::connect(tls_.context, name_for_handshake(tls_, host_));
        handshake_->shake_hands();
        handshake_->take(to_socket);
    } else {
        to_socket += ssl_request;
    }
}

UpstreamHandshake::Status UpstreamHandshake::fail(const std::string& problem) {
    problem_ = problem;
    return Status::broken;
}

void UpstreamHandshake::on_end() {
    may_go_plain_ = handshake_ && tls_.when == UpstreamTls::When::if_offered;
    fail("server closed the connection unexpectedly during the SSL exchange");
}

UpstreamHandshake::Status UpstreamHandshake::on_bytes(
    std::string_view from_socket, std::string& to_socket
) {
    if (from_socket.empty()) {
        return Status::under_way;
    }
    return handshake_ ? on_handshake(from_socket, to_socket) : on_answer(from_socket, to_socket);
}

UpstreamHandshake::Status UpstreamHandshake::on_answer(
    std::string_view from_socket, std::string& to_socket
) {
    const char answer = from_socket[0];
    if (answer == 'E') {
        return fail("server sent an error response during SSL exchange");
    }
    if (answer != 'S' && answer != 'N') {
        return fail("received invalid response to SSL negotiation");
    }
    if (from_socket.size() > 1) {
        return fail("received unencrypted data after SSL response");
    }
    if (answer == 'N') {
        if (tls_.when == UpstreamTls::When::always) {
            return fail("server does not support SSL, but SSL was required");
        }
        return Status::done;
    }
    handshake_ = Tls::connect(tls_.context, name_for_handshake(tls_, host_));
    return on_handshake({}, to_socket);
}

UpstreamHandshake::Status UpstreamHandshake::on_handshake(
    std::string_view from_socket, std::string& to_socket
) {
    handshake_->feed(from_socket);
    handshake_->take(to_socket);
    if (handshake_->status() == Tls::Status::handshaking) {
        return Status::under_way;
    }
    if (handshake_->status() != Tls::Status::open) {
        may_go_plain_ = tls_.when == UpstreamTls::When::if_offered;
        return fail("SSL error: " + handshake_->problem());
    }
    if (tls_.direct && handshake_->protocol() != "postgresql") {
        return fail(
            "direct SSL connection was established without ALPN protocol negotiation "
            "extension"
        );
    }
    if (tls_.verify_host && host_.empty()) {
        return fail("host name must be specified for a verified SSL connection");
    }
    if (tls_.verify_host && !handshake_->peer_is(host_)) {
        return fail("server certificate does not match host name \"" + host_ + "\"");
    }
    layer_ = TlsLayer(*std::exchange(handshake_, std::nullopt));
    return Status::done;
}

}  // namespace veer::proxy::net
