#include "proxy/session/startup.hpp"

#include "proxy/wire/backend.hpp"

namespace veer::proxy::session {

namespace {

constexpr char tls_handshake_record = '\x16';

std::string fatal(wire::Bytes sqlstate, wire::Bytes message) {
    std::string bytes;
    wire::write_fatal(bytes, sqlstate, message);
    return bytes;
}

std::string stuffed(const std::string& request) {
    std::string bytes;
    wire::write_fatal(
        bytes,
        "08P01",
        "received unencrypted data after " + request + " request",
        "This could be either a client-software bug or evidence of an attempted man-in-the-middle "
        "attack."
    );
    return bytes;
}

}  // namespace

StartupAction Startup::on_bytes(wire::Bytes bytes) {
    if (!begun_ && !bytes.empty() && bytes[0] == tls_handshake_record) {
        begun_ = true;
        direct_ = true;
        // Without a certificate this closes without a word, as Postgres does: what could be said
        // in the clear would not be understood.
        return options_.encryption_offered ? StartupAction{BeginTls{}} : StartupAction{Refuse{}};
    }
    begun_ = begun_ || !bytes.empty();
    wire::StartupScan scan = wire::scan_startup(bytes);
    if (scan.status == wire::FrameStatus::incomplete) {
        return ReadMore{};
    }
    if (scan.status == wire::FrameStatus::malformed) {
        // Postgres logs "invalid length of startup packet" and closes without a word.
        return Refuse{};
    }
    const std::string packet(bytes.substr(0, scan.whole_bytes));
    const bool extra_bytes = bytes.size() > scan.whole_bytes;
    if (std::holds_alternative<wire::SslRequest>(scan.packet)) {
        return on_ssl_request(extra_bytes);
    }
    if (std::holds_alternative<wire::GssEncRequest>(scan.packet)) {
        return on_gssenc_request(extra_bytes);
    }
    if (std::holds_alternative<wire::CancelRequest>(scan.packet)) {
        return ForwardCancel{.packet = packet};
    }
    ForwardStartup forward{
        .packet = packet,
        .message = std::get<wire::StartupMessage>(std::move(scan.packet)),
        .rest = std::string(bytes.substr(scan.whole_bytes))};
    if (std::string refusal = objection(forward.message); !refusal.empty()) {
        return Refuse{.bytes = std::move(refusal)};
    }
    return forward;
}

StartupAction Startup::on_encrypted(ClientEncryption encryption) {
    encrypted_ = true;
    encryption_ = std::move(encryption);
    if (direct_ && encryption_.protocol != "postgresql") {
        return Refuse{};  // Postgres 17 logs it, and says nothing
    }
    return ReadMore{};
}

StartupAction Startup::on_ssl_request(bool extra_bytes) {
    if (ssl_asked_ || encrypted_) {
        return refuse_second(5679);
    }
    ssl_asked_ = true;
    if (extra_bytes) {
        // As Postgres does, which answers before it looks behind the request.
        const bool answered = !options_.encryption_offered;
        return Refuse{.bytes = (answered ? "N" : "") + stuffed("SSL")};
    }
    if (options_.encryption_offered) {
        return BeginTls{.bytes = "S"};
    }
    return SendReply{.bytes = "N"};
}

StartupAction Startup::on_gssenc_request(bool extra_bytes) {
    if (gssenc_asked_ || encrypted_) {
        return refuse_second(5680);
    }
    gssenc_asked_ = true;
    if (extra_bytes) {
        return Refuse{.bytes = "N" + stuffed("GSSAPI encryption")};
    }
    return SendReply{.bytes = "N"};
}

/// Postgres takes the second one for a StartupMessage of the protocol 1234.5679.
StartupAction Startup::refuse_second(std::uint16_t minor) const {
    return Refuse{
        .bytes = fatal(
            "0A000",
            "unsupported frontend protocol 1234." + std::to_string(minor) +
                ": server supports 3.0 to 3.0"
        )};
}

/// Why this client is not let in, as a message; empty where it is.
std::string Startup::objection(const wire::StartupMessage& message) const {
    const std::string user = message.parameter("user");
    if (options_.encryption_required && !encrypted_) {
        const std::string database = message.parameter("database");
        return fatal(
            "28000",
            "veer rejects connection for user \"" + user + "\", database \"" +
                (database.empty() ? user : database) + "\", no encryption"
        );
    }
    if (options_.certificate_required && !encryption_.certificate) {
        return fatal("28000", "connection requires a valid client certificate");
    }
    if (options_.certificate_names_user && encryption_.common_name != user) {
        return fatal("28000", "certificate authentication failed for user \"" + user + "\"");
    }
    return {};
}

}  // namespace veer::proxy::session
