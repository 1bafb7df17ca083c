#pragma once

#include "proxy/wire/frame.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace veer::proxy::wire {

/// The packets that come before any typed message (manual 55.2.1 and 55.7):
///
///     length (4, counts itself) | code (4) | ...
struct SslRequest {
    friend bool operator==(const SslRequest&, const SslRequest&) = default;
};

struct GssEncRequest {
    friend bool operator==(const GssEncRequest&, const GssEncRequest&) = default;
};

/// pid and secret key; the key's length grew in protocol 3.2, so the packet is relayed whole.
struct CancelRequest {
    friend bool operator==(const CancelRequest&, const CancelRequest&) = default;
};

struct StartupMessage {
    std::uint16_t major = 3;
    std::uint16_t minor = 0;
    std::vector<std::pair<std::string, std::string>> parameters;

    /// Value of a parameter, empty where it is absent.
    std::string parameter(const std::string& name) const;

    friend bool operator==(const StartupMessage&, const StartupMessage&) = default;
};

using StartupPacket = std::variant<SslRequest, GssEncRequest, CancelRequest, StartupMessage>;

/// MAX_STARTUP_PACKET_LENGTH of Postgres, and the length itself.
inline constexpr std::size_t startup_packet_bytes_max = 10'004;

struct StartupScan {
    FrameStatus status = FrameStatus::incomplete;
    std::size_t whole_bytes = 0;  ///< of the packet, once its length is known
    StartupPacket packet;         ///< where status is ok
};

/// Looks for one whole packet at the start of `bytes`. Malformed: a length that Postgres refuses,
/// or contents that are cut short.
StartupScan scan_startup(Bytes bytes);

}  // namespace veer::proxy::wire
