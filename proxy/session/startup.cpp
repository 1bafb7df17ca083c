#include "proxy/session/startup.hpp"

#include "proxy/wire/backend.hpp"

namespace veer::proxy::session {

StartupAction Startup::on_bytes(wire::Bytes bytes) {
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
        return refuse_encryption(ssl_asked_, extra_bytes);
    }
    if (std::holds_alternative<wire::GssEncRequest>(scan.packet)) {
        return refuse_encryption(gssenc_asked_, extra_bytes);
    }
    if (std::holds_alternative<wire::CancelRequest>(scan.packet)) {
        return ForwardCancel{.packet = packet};
    }
    return ForwardStartup{
        .packet = packet,
        .message = std::get<wire::StartupMessage>(std::move(scan.packet)),
        .rest = std::string(bytes.substr(scan.whole_bytes))};
}

StartupAction Startup::refuse_encryption(bool& asked, bool extra_bytes) {
    if (asked || extra_bytes) {
        Refuse refuse;
        wire::write_fatal(
            refuse.bytes, "08P01", "received unencrypted data after an encryption request"
        );
        return refuse;
    }
    asked = true;
    return SendReply{.bytes = "N"};
}

}  // namespace veer::proxy::session
