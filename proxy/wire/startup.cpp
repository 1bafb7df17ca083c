#include "proxy/wire/startup.hpp"

#include "proxy/wire/reader.hpp"

namespace veer::proxy::wire {

namespace {

constexpr std::uint32_t cancel_request_code = 80877102;
constexpr std::uint32_t ssl_request_code = 80877103;
constexpr std::uint32_t gssenc_request_code = 80877104;

bool read_parameters(Reader& reader, StartupMessage& message) {
    for (Bytes name = reader.text(); !name.empty(); name = reader.text()) {
        const Bytes value = reader.text();
        message.parameters.emplace_back(std::string(name), std::string(value));
    }
    return reader.ok();
}

}  // namespace

std::string StartupMessage::parameter(const std::string& name) const {
    for (const auto& [key, value] : parameters) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

StartupScan scan_startup(Bytes bytes) {
    StartupScan scan;
    Reader header(bytes.substr(0, bytes.size() < 8 ? 0 : 8));
    if (bytes.size() < 8) {
        return scan;
    }
    scan.whole_bytes = header.u32();
    const std::uint32_t code = header.u32();
    if (scan.whole_bytes < 8 || scan.whole_bytes > startup_packet_bytes_max) {
        scan.status = FrameStatus::malformed;
        return scan;
    }
    if (bytes.size() < scan.whole_bytes) {
        return scan;
    }
    scan.status = FrameStatus::ok;
    Reader body(bytes.substr(8, scan.whole_bytes - 8));
    if (code == cancel_request_code) {
        scan.packet = CancelRequest{};
    } else if (code == ssl_request_code) {
        scan.packet = SslRequest{};
    } else if (code == gssenc_request_code) {
        scan.packet = GssEncRequest{};
    } else {
        StartupMessage message;
        message.major = static_cast<std::uint16_t>(code >> 16U);
        message.minor = static_cast<std::uint16_t>(code & 0xFFFFU);
        // What is laid out in another way, Postgres shall refuse itself. None of it is believed.
        if (message.major == 3 && !read_parameters(body, message)) {
            message.parameters.clear();
        }
        scan.packet = std::move(message);
    }
    return scan;
}

}  // namespace veer::proxy::wire
