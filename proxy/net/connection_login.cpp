#include "proxy/net/connection.hpp"

// Authentication, where it is more than relaying, and the server's first word about the client.

namespace veer::proxy::net {

void Connection::begin_authentication(const session::ForwardStartup& forward) {
    authentication_.reset();
    session::LoginOptions options{
        .user = forward.message.parameter("user"),
        .client_encrypted = client_.layer.encrypted(),
        .server_encrypted = server_->layer.encrypted(),
        .secrets = static_cast<bool>(security_->secrets),
        .client_binding = {},
        .server_binding = {},
        .server_nonce = {},
        .client_nonce = {},
        .mock_secret = security_->mock_secret};
    if (options.client_encrypted && options.server_encrypted) {
        const auto server_nonce = auth::make_scram_nonce();
        const auto client_nonce = auth::make_scram_nonce();
        if (!server_nonce || !client_nonce) {
            close();  // what could be guessed must not be used
            return;
        }
        options.server_nonce = *server_nonce;
        options.client_nonce = *client_nonce;
        options.client_binding = client_.layer.tls()->endpoint_hash();
        options.server_binding = server_->layer.tls()->endpoint_hash();
    }
    if (session::Login::needed(options)) {
        authentication_.emplace(std::move(options));
    }
    if (!forward.rest.empty()) {
        watch_login_of_client(forward.rest);
        on_client_bytes(forward.rest);
        carry_out(worker_.output);
    }
}

void Connection::on_client_bytes(std::string_view bytes) {
    if (authentication_) {
        authentication_->on_client(bytes, worker_.output);
        after_authentication();
    } else {
        last_active_ = session_now();
        session_->on_client(bytes, last_active_, worker_.output);
    }
}

void Connection::on_server_bytes(std::string_view bytes) {
    if (retried_ && bytes.starts_with('E')) {
        retry_other_way();
        return;
    }
    retried_.reset();
    if (login_) {
        watch_login_of_server(bytes);
    }
    if (authentication_) {
        authentication_->on_server(bytes, worker_.output);
        after_authentication();
    } else {
        last_active_ = session_now();
        session_->on_server(bytes, last_active_, worker_.output);
    }
}

void Connection::after_authentication() {
    if (authentication_->take_secret_request()) {
        look_up_secret();
    }
    if (authentication_->secret_is_stale()) {
        security_->warn(
            "[auth] has another SCRAM secret for user \"" + authentication_->user() +
            "\" than the upstream server"
        );
    }
    if (!authentication_->done()) {
        return;
    }
    const std::string from_server = authentication_->take_server_rest();
    const std::string from_client = authentication_->take_client_rest();
    authentication_.reset();
    if (!worker_.output.close) {
        session_->on_server(from_server, session_now(), worker_.output);
        session_->on_client(from_client, session_now(), worker_.output);
    }
}

void Connection::look_up_secret() {
    security_->secrets(
        authentication_->user(),
        [weak = weak_from_this(), &loop = worker_.loop](const SecretAnswer& answer) {
            loop.post(task(weak, [answer](Connection& self) { self.on_secret(answer); }));
        }
    );
}

void Connection::on_secret(const SecretAnswer& answer) {
    if (stage_ != Stage::relaying || !authentication_) {
        return;
    }
    if (answer.available) {
        authentication_->on_secret(answer.secret, worker_.output);
    } else {
        authentication_->on_secret_unavailable(worker_.output);
    }
    after_authentication();
    carry_out(worker_.output);
    settle();
}

/// As libpq does with sslmode=allow and prefer: what the server refuses in the clear it may take
/// encrypted, or the other way round.
void Connection::retry_other_way() {
    const session::ForwardStartup forward = *std::exchange(retried_, std::nullopt);
    stage_ = Stage::connecting;
    server_->watch.end();
    server_->socket.close();
    worker_.loop.retire(std::exchange(server_, nullptr));
    opener_->open_other_way([this, forward](UpstreamOpener::Opened opened) {
        if (opened.socket.open()) {
            begin_session(forward, std::move(opened));
        } else {
            refuse("08001", opened.problem);
        }
        settle();
    });
}

}  // namespace veer::proxy::net
