#include "proxy/session/login_watch.hpp"

#include "proxy/wire/reader.hpp"

#include <algorithm>

namespace veer::proxy::session {

namespace {

constexpr std::size_t code_bytes = 4;

// Authentication messages of the manual's 55.7 by their code.
constexpr std::uint32_t authentication_ok = 0;

/// Moves bytes from `bytes` to `head` until it has `wanted`; true where it has.
bool fill(std::string& head, std::size_t wanted, wire::Bytes& bytes) {
    const wire::Bytes part = bytes.substr(0, wanted - std::min(wanted, head.size()));
    head += part;
    bytes.remove_prefix(part.size());
    return head.size() >= wanted;
}

void skip(std::size_t& passing, wire::Bytes& bytes) {
    const std::size_t part = std::min(passing, bytes.size());
    passing -= part;
    bytes.remove_prefix(part);
}

}  // namespace

bool LoginWatch::on_client(wire::Bytes bytes) {
    while (!over_ && client_follows_ && !bytes.empty()) {
        if (client_passing_ > 0) {
            skip(client_passing_, bytes);
            continue;
        }
        if (!fill(client_header_, wire::frame_header_bytes, bytes)) {
            return true;
        }
        wire::FrameHeader header;
        const wire::FrameStatus status = wire::peek_header(client_header_, header);
        const bool answer = client_header_.front() == 'p';
        client_header_.clear();
        if (answer &&
            (status != wire::FrameStatus::ok || header.whole_bytes - 1 > answer_bytes_max)) {
            return false;
        }
        client_follows_ = answer;
        client_passing_ = header.whole_bytes - wire::frame_header_bytes;
    }
    return true;
}

void LoginWatch::on_server(wire::Bytes bytes) {
    while (!over_ && !bytes.empty()) {
        if (server_passing_ > 0) {
            skip(server_passing_, bytes);
            continue;
        }
        if (!fill(server_head_, wire::frame_header_bytes, bytes)) {
            return;
        }
        wire::FrameHeader header;
        if (wire::peek_header(server_head_, header) != wire::FrameStatus::ok) {
            over_ = true;
            return;
        }
        const bool code =
            header.type == 'R' && header.whole_bytes >= wire::frame_header_bytes + code_bytes;
        const std::size_t wanted = wire::frame_header_bytes + (code ? code_bytes : 0);
        if (!fill(server_head_, wanted, bytes)) {
            return;
        }
        server_passing_ = header.whole_bytes - wanted;
        on_server_message(header.type);
        server_head_.clear();
    }
}

void LoginWatch::on_server_message(char type) {
    if (type == 'Z') {
        over_ = true;
    }
    if (type != 'R' || server_head_.size() < wire::frame_header_bytes + code_bytes) {
        return;
    }
    wire::Reader reader(wire::Bytes(server_head_).substr(wire::frame_header_bytes));
    const std::uint32_t code = reader.u32();
    over_ = code == authentication_ok;
}

}  // namespace veer::proxy::session
