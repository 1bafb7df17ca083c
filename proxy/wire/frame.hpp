#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace veer::proxy::wire {

/// Bytes of the protocol. char, because every string in it is text in the client's encoding.
using Bytes = std::string_view;

/// One message after start-up (PostgreSQL manual 55.7 "Message Formats"):
///
///     type (1) | length (4, big-endian, counts itself) | payload (length - 4)
struct Frame {
    char type = 0;
    Bytes payload;
    Bytes whole;  ///< header included
};

inline constexpr std::size_t frame_header_bytes = 5;

/// MaxAllocSize of Postgres, less the terminator: no message it accepts is longer.
inline constexpr std::uint32_t frame_length_max = 0x3FFFFFFF;

/// Type and total size (header included) of the message that begins `bytes`.
struct FrameHeader {
    char type = 0;
    std::size_t whole_bytes = 0;
};

enum class FrameStatus : std::uint8_t {
    ok,
    incomplete,  ///< fewer than five bytes
    malformed,   ///< a length below 4 or above frame_length_max: framing is lost for good
};

FrameStatus peek_header(Bytes bytes, FrameHeader& header);

/// The first whole frame of `bytes`. Requires a header that was ok and bytes.size() >= whole_bytes.
inline Frame frame_at(Bytes bytes, const FrameHeader& header) {
    return {
        .type = header.type,
        .payload = bytes.substr(frame_header_bytes, header.whole_bytes - frame_header_bytes),
        .whole = bytes.substr(0, header.whole_bytes)};
}

}  // namespace veer::proxy::wire
