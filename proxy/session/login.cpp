#include "proxy/session/login.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/reader.hpp"
#include "proxy/wire/writer.hpp"

#include <utility>
#include <vector>

namespace veer::proxy::session {

namespace {

/// PG_MAX_AUTH_TOKEN_LENGTH of Postgres; a server's ErrorResponse is not longer either.
constexpr std::size_t frame_bytes_max = 65'535 + wire::frame_header_bytes;

// Codes of the Authentication messages (manual 55.7).
constexpr std::int32_t authentication_ok = 0;
constexpr std::int32_t authentication_sasl = 10;
constexpr std::int32_t authentication_sasl_continue = 11;
constexpr std::int32_t authentication_sasl_final = 12;

void write_authentication(std::string& out, std::int32_t code, wire::Bytes data) {
    wire::MessageWriter(out, 'R').i32(code).bytes(data);
}

std::vector<wire::Bytes> mechanisms_of(wire::Bytes data) {
    std::vector<wire::Bytes> names;
    wire::Reader reader(data);
    for (wire::Bytes name = reader.text(); !name.empty(); name = reader.text()) {
        names.push_back(name);
    }
    return names;
}

void write_offer(std::string& out, const std::vector<wire::Bytes>& mechanisms) {
    wire::MessageWriter message(out, 'R');
    message.i32(authentication_sasl);
    for (const wire::Bytes name : mechanisms) {
        message.text(name);
    }
    message.u8(0);
}

struct InitialResponse {
    wire::Bytes mechanism;
    wire::Bytes data;
};

std::optional<InitialResponse> decode_initial_response(wire::Bytes payload) {
    wire::Reader reader(payload);
    InitialResponse response;
    response.mechanism = reader.text();
    const std::int32_t length = reader.i32();
    if (length >= 0) {
        response.data = reader.bytes(static_cast<std::size_t>(length));
    }
    return reader.done() ? std::optional(response) : std::nullopt;
}

}  // namespace

Login::Login(LoginOptions options)
    : options_(std::move(options)),
      towards_client_({.channel_binding = options_.client_binding, .nonce = options_.server_nonce}
      ) {}

bool Login::take_secret_request() {
    return std::exchange(secret_wanted_, false);
}

void Login::violation(wire::Bytes message, Output& out) {
    refuse({.sqlstate = "08P01", .message = std::string(message)}, out);
}

void Login::refuse(const auth::ScramProblem& problem, Output& out) {
    wire::write_fatal(out.to_client, problem.sqlstate, problem.message);
    out.close = true;
    state_ = State::done;
    server_in_.clear();
    client_in_.clear();
}

void Login::fail_password(Output& out) {
    refuse(
        {.sqlstate = "28P01",
         .message = "password authentication failed for user \"" + options_.user + "\""},
        out
    );
}

// ---- the server's frames

void Login::on_server(wire::Bytes bytes, Output& out) {
    server_in_ += bytes;
    wire::FrameHeader header;
    while (!done()) {
        const wire::FrameStatus status = wire::peek_header(server_in_, header);
        if (status == wire::FrameStatus::malformed ||
            (status == wire::FrameStatus::ok && header.whole_bytes > frame_bytes_max)) {
            state_ = State::done;  // the Session knows what to do with such a server
            return;
        }
        if (status == wire::FrameStatus::incomplete || server_in_.size() < header.whole_bytes) {
            return;
        }
        on_server_frame(wire::frame_at(server_in_, header), out);
        if (!done()) {
            server_in_.erase(0, header.whole_bytes);
        }
    }
}

void Login::on_server_frame(const wire::Frame& frame, Output& out) {
    if (frame.type == 'R') {
        on_authentication(frame, out);
    } else if (frame.type == 'E') {
        state_ = State::done;
    } else {
        out.to_client += frame.whole;  // NoticeResponse, NegotiateProtocolVersion
    }
}

void Login::on_authentication(const wire::Frame& frame, Output& out) {
    wire::Reader reader(frame.payload);
    const std::int32_t code = reader.i32();
    const wire::Bytes data = reader.bytes(reader.remaining());
    if (state_ == State::relaying) {
        if (reader.ok() && code == authentication_ok) {
            state_ = State::done;
        } else if (reader.ok() && code == authentication_sasl) {
            on_offer(frame, out);
        } else {
            out.to_client += frame.whole;
        }
    } else if (state_ == State::server_challenge && code == authentication_sasl_continue) {
        answer_challenge(data, out);
    } else if (state_ == State::server_final && code == authentication_sasl_final) {
        check_server(data, out);
    } else if (state_ == State::server_ok && reader.ok() && code == authentication_ok) {
        write_authentication(out.to_client, authentication_sasl_final, verdict_);
        state_ = State::done;
    } else {
        violation("the upstream server sent an authentication message out of turn", out);
    }
}

void Login::on_offer(const wire::Frame& frame, Output& out) {
    std::vector<wire::Bytes> kept;
    bool plain = false;
    for (const wire::Bytes name : mechanisms_of(frame.payload.substr(4))) {
        plain = plain || name == auth::scram_plain;
        if (name == auth::scram_plus) {
            server_binds_ = true;
        } else {
            kept.push_back(name);
        }
    }
    if (options_.client_encrypted && options_.secrets && plain) {
        state_ = State::client_first;
        secret_wanted_ = true;
        std::vector<wire::Bytes> offer;
        if (!options_.client_binding.empty()) {
            offer.push_back(auth::scram_plus);
        }
        offer.push_back(auth::scram_plain);
        write_offer(out.to_client, offer);
        return;
    }
    if (kept.empty()) {
        out.to_client += frame.whole;
        return;
    }
    write_offer(out.to_client, kept);
}

void Login::answer_challenge(wire::Bytes message, Output& out) {
    const auth::ScramClient::Reply reply = towards_server_->on_challenge(message);
    if (const auto* answer = std::get_if<std::string>(&reply)) {
        wire::MessageWriter(out.to_server, 'p').bytes(*answer);
        state_ = State::server_final;
    } else if (std::get<auth::ScramClient::Failure>(reply) == auth::ScramClient::Failure::other_secret) {
        stale_ = true;
        fail_password(out);
    } else {
        violation("the upstream server sent a malformed SCRAM message", out);
    }
}

void Login::check_server(wire::Bytes message, Output& out) {
    if (towards_server_->on_final(message)) {
        violation("the upstream server could not prove that it knows the user's secret", out);
        return;
    }
    towards_server_.reset();
    state_ = State::server_ok;
}

// ---- the client's frames

void Login::on_client(wire::Bytes bytes, Output& out) {
    if (client_pipe_) {
        out.to_server += bytes;
        return;
    }
    client_in_ += bytes;
    process_client(out);
    if (!done() && !client_pipe_ && client_in_.size() > frame_bytes_max) {
        violation("too much data before the end of authentication", out);
    }
}

void Login::process_client(Output& out) {
    wire::FrameHeader header;
    while (!done()) {
        const wire::FrameStatus status = wire::peek_header(client_in_, header);
        if (status == wire::FrameStatus::incomplete) {
            return;
        }
        const bool usable = status == wire::FrameStatus::ok && header.type == 'p' &&
                            header.whole_bytes <= frame_bytes_max;
        if (!usable && state_ == State::relaying) {
            client_pipe_ = true;  // Postgres shall say what it thinks of it
            out.to_server += client_in_;
            client_in_.clear();
            return;
        }
        if (!usable) {
            violation(
                "expected SASL response, got message type " +
                    std::to_string(static_cast<unsigned char>(client_in_[0])),
                out
            );
            return;
        }
        if (client_in_.size() < header.whole_bytes ||
            !on_client_frame(wire::frame_at(client_in_, header), out)) {
            return;
        }
        if (!done()) {
            auth::wipe_front(client_in_, header.whole_bytes);
        }
    }
}

/// False where the frame has to wait.
bool Login::on_client_frame(const wire::Frame& frame, Output& out) {
    switch (state_) {
        case State::relaying:
            relay_response(frame, out);
            return true;
        case State::client_first:
            if (!secret_known_) {
                return false;
            }
            challenge_client(frame.payload, out);
            return true;
        case State::client_final:
            judge_client(frame.payload, out);
            return true;
        case State::server_challenge:
        case State::server_final:
        case State::server_ok:
            violation("unexpected message during authentication", out);
            return true;
        case State::done:
            break;
    }
    return false;
}

void Login::relay_response(const wire::Frame& frame, Output& out) {
    const auto response = decode_initial_response(frame.payload);
    if (options_.client_encrypted && server_binds_ && response &&
        response->mechanism == auth::scram_plain && response->data.starts_with("y,")) {
        // Postgres would only say that there was an error in the negotiation.
        refuse(
            {.sqlstate = "28000",
             .message = "SCRAM cannot be relayed between two encrypted connections: veer needs "
                        "[auth] file or query, or the client channel_binding=disable"},
            out
        );
        return;
    }
    out.to_server += frame.whole;
}

void Login::challenge_client(wire::Bytes message, Output& out) {
    const auto response = decode_initial_response(message);
    if (!response) {
        violation("malformed SCRAM message", out);
        return;
    }
    const bool mock = !secret_.has_value();
    if (mock) {
        secret_ = auth::make_mock_secret(options_.mock_secret, options_.user);
    }
    const auth::ScramServer::Reply reply =
        towards_client_.on_first(response->mechanism, response->data, *secret_, mock);
    if (const auto* problem = std::get_if<auth::ScramProblem>(&reply)) {
        refuse(*problem, out);
        return;
    }
    write_authentication(out.to_client, authentication_sasl_continue, std::get<std::string>(reply));
    state_ = State::client_final;
}

void Login::judge_client(wire::Bytes message, Output& out) {
    const auth::ScramServer::Reply reply = towards_client_.on_final(message);
    if (const auto* problem = std::get_if<auth::ScramProblem>(&reply)) {
        if (problem->sqlstate.empty()) {
            fail_password(out);
        } else {
            refuse(*problem, out);
        }
        return;
    }
    verdict_ = std::get<std::string>(reply);
    towards_server_.emplace(
        auth::ScramClient::Options{
            .channel_binding = server_binds_ ? options_.server_binding : "",
            .nonce = options_.client_nonce},
        *secret_,
        towards_client_.take_client_key()
    );
    const std::string first = towards_server_->first();
    wire::MessageWriter(out.to_server, 'p').text(towards_server_->mechanism()).field(first);
    state_ = State::server_challenge;
}

// ---- the secret

void Login::on_secret(std::optional<auth::ScramSecret> secret, Output& out) {
    if (state_ != State::client_first) {
        return;
    }
    secret_known_ = true;
    secret_ = std::move(secret);
    process_client(out);
}

void Login::on_secret_unavailable(Output& out) {
    if (state_ == State::client_first) {
        refuse(
            {.sqlstate = "58000",
             .message =
                 "the secret of user \"" + options_.user + "\" cannot be looked up at present"},
            out
        );
    }
}

}  // namespace veer::proxy::session
