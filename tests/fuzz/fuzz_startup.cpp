#include "proxy/session/startup.hpp"
#include "tests/fuzz/require.hpp"

#include <string>

namespace veer::proxy::session {

namespace {

using fuzz::require;

/// What is forwarded is the client's own packet, whole, and means the same when read again.
void check_forwarded(const ForwardStartup& forward, wire::Bytes bytes) {
    require(forward.packet + forward.rest == bytes);
    const wire::StartupScan scan = wire::scan_startup(forward.packet);
    require(scan.status == wire::FrameStatus::ok && scan.whole_bytes == forward.packet.size());
    require(std::get<wire::StartupMessage>(scan.packet) == forward.message);
}

/// All that is there at once, as a flood arrives.
void play_at_once(wire::Bytes bytes) {
    Startup startup;
    const StartupAction action = startup.on_bytes(bytes);
    if (const auto* forward = std::get_if<ForwardStartup>(&action)) {
        check_forwarded(*forward, bytes);
    } else if (const auto* cancel = std::get_if<ForwardCancel>(&action)) {
        require(bytes.starts_with(cancel->packet));
    } else if (std::holds_alternative<SendReply>(action)) {
        // Nothing may come along: it would have been stuffed in. As to Postgres, the packet may be
        // long.
        require(bytes.size() == wire::scan_startup(bytes).whole_bytes);
    }
}

/// Byte by byte: the answer comes with the last byte of a packet, and never later than the limit.
void play_bytewise(wire::Bytes bytes) {
    Startup startup;
    std::string kept;
    int replies = 0;
    for (const char byte : bytes) {
        kept += byte;
        require(kept.size() <= wire::startup_packet_bytes_max);
        const StartupAction action = startup.on_bytes(kept);
        if (std::holds_alternative<SendReply>(action)) {
            require(++replies <= 2);
            kept.clear();
        } else if (const auto* forward = std::get_if<ForwardStartup>(&action)) {
            check_forwarded(*forward, kept);
            require(forward->rest.empty());
            return;
        } else if (!std::holds_alternative<ReadMore>(action)) {
            return;
        }
    }
}

}  // namespace

}  // namespace veer::proxy::session

/// Everything before the first typed message, from a stranger.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = veer::fuzz::as_text(data, size);
    veer::proxy::session::play_at_once(bytes);
    veer::proxy::session::play_bytewise(bytes);
    return 0;
}
