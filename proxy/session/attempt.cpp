#include "proxy/session/attempt.hpp"

namespace veer::proxy::session {

wire::Frame Attempt::bind_frame() const {
    wire::FrameHeader header;
    wire::peek_header(held, header);
    return wire::frame_at(held, header);
}

}  // namespace veer::proxy::session
