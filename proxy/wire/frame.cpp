#include "proxy/wire/frame.hpp"

#include "proxy/wire/reader.hpp"

namespace veer::proxy::wire {

FrameStatus peek_header(Bytes bytes, FrameHeader& header) {
    if (bytes.size() < frame_header_bytes) {
        return FrameStatus::incomplete;
    }
    Reader reader(bytes.substr(1, 4));
    const std::uint32_t length = reader.u32();
    if (length < 4 || length > frame_length_max) {
        return FrameStatus::malformed;
    }
    header = {.type = bytes[0], .whole_bytes = std::size_t{1} + length};
    return FrameStatus::ok;
}

}  // namespace veer::proxy::wire
