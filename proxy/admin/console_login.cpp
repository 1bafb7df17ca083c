#include "proxy/admin/console_login.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/reader.hpp"
#include "proxy/wire/writer.hpp"

namespace veer::proxy::admin {

namespace {

constexpr std::size_t frame_bytes_max = auth::scram_message_bytes_max + 64;

// Codes of the Authentication messages (manual 55.7).
constexpr std::int32_t authentication_sasl = 10;
constexpr std::int32_t authentication_sasl_continue = 11;
constexpr std::int32_t authentication_sasl_final = 12;

}  // namespace

ConsoleLogin::ConsoleLogin(ConsoleLoginOptions options)
    : options_(std::move(options)),
      scram_({.channel_binding = options_.channel_binding, .nonce = options_.nonce}) {}

ConsoleLogin::~ConsoleLogin() {
    auth::wipe(inbox_);
}

void ConsoleLogin::begin(std::string& out) {
    wire::MessageWriter message(out, 'R');
    message.i32(authentication_sasl);
    if (!options_.channel_binding.empty()) {
        message.text(auth::scram_plus);
    }
    message.text(auth::scram_plain).u8(0);
}

void ConsoleLogin::on_client(wire::Bytes bytes, std::string& out) {
    inbox_ += bytes;
    wire::FrameHeader header;
    while (!over_ && !role_) {
        const wire::FrameStatus status = wire::peek_header(inbox_, header);
        if (status == wire::FrameStatus::incomplete) {
            return;
        }
        if (status == wire::FrameStatus::malformed || header.type != 'p' ||
            header.whole_bytes > frame_bytes_max) {
            refuse("08P01", "expected SASL response", out);
            return;
        }
        if (inbox_.size() < header.whole_bytes) {
            return;
        }
        on_response(wire::frame_at(inbox_, header).payload, out);
        auth::wipe_front(inbox_, header.whole_bytes);
    }
}

void ConsoleLogin::on_response(wire::Bytes payload, std::string& out) {
    if (challenged_) {
        judge(payload, out);
    } else {
        challenge(payload, out);
    }
}

void ConsoleLogin::challenge(wire::Bytes payload, std::string& out) {
    wire::Reader reader(payload);
    const wire::Bytes mechanism = reader.text();
    const std::int32_t length = reader.i32();
    const wire::Bytes data = length < 0 ? "" : reader.bytes(static_cast<std::size_t>(length));
    if (!reader.done()) {
        refuse("08P01", "malformed SCRAM message", out);
        return;
    }
    const Access& access = *options_.access;
    const auto secret = access.secrets.find(options_.user);
    const bool known = access.users.contains(options_.user) && secret != access.secrets.end();
    const auth::ScramServer::Reply reply = scram_.on_first(
        mechanism,
        data,
        known ? secret->second : auth::make_mock_secret(access.mock_secret, options_.user),
        !known
    );
    if (const auto* problem = std::get_if<auth::ScramProblem>(&reply)) {
        refuse(problem->sqlstate, problem->message, out);
        return;
    }
    wire::MessageWriter(out, 'R')
        .i32(authentication_sasl_continue)
        .bytes(std::get<std::string>(reply));
    challenged_ = true;
}

void ConsoleLogin::judge(wire::Bytes payload, std::string& out) {
    const auth::ScramServer::Reply reply = scram_.on_final(payload);
    scram_.take_client_key();  // wiped: nothing is opened with it here
    if (const auto* problem = std::get_if<auth::ScramProblem>(&reply)) {
        const bool wrong = problem->sqlstate.empty();
        refuse(
            wrong ? std::string_view("28P01") : problem->sqlstate,
            wrong ? "password authentication failed for user \"" + options_.user + "\""
                  : problem->message,
            out
        );
        return;
    }
    wire::MessageWriter(out, 'R')
        .i32(authentication_sasl_final)
        .bytes(std::get<std::string>(reply));
    role_ = options_.access->users.find(options_.user)->second;
}

void ConsoleLogin::refuse(std::string_view sqlstate, std::string_view message, std::string& out) {
    wire::write_fatal(out, sqlstate, message);
    auth::wipe(inbox_);
    over_ = true;
}

}  // namespace veer::proxy::admin
