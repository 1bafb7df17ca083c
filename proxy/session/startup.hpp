#pragma once

#include "proxy/wire/startup.hpp"

#include <string>
#include <variant>

namespace veer::proxy::session {

/// Send these bytes to the client and go on reading.
struct SendReply {
    std::string bytes;

    friend bool operator==(const SendReply&, const SendReply&) = default;
};

/// Connect upstream and send the packet as it came; `rest` are bytes that the client sent after it.
struct ForwardStartup {
    std::string packet;
    wire::StartupMessage message;
    std::string rest;

    friend bool operator==(const ForwardStartup&, const ForwardStartup&) = default;
};

/// Connect upstream, send the packet, close everything.
struct ForwardCancel {
    std::string packet;

    friend bool operator==(const ForwardCancel&, const ForwardCancel&) = default;
};

/// Send these bytes (perhaps none) to the client and close.
struct Refuse {
    std::string bytes;

    friend bool operator==(const Refuse&, const Refuse&) = default;
};

/// Not a whole packet yet.
struct ReadMore {
    friend bool operator==(const ReadMore&, const ReadMore&) = default;
};

using StartupAction = std::variant<ReadMore, SendReply, ForwardStartup, ForwardCancel, Refuse>;

/// The dialogue before the StartupMessage (manual 55.2.1, 55.2.10, 55.2.11):
///
///     ( SSLRequest | GSSENCRequest )?  each at most once, answered 'N'  ──▶  StartupMessage |
///     CancelRequest
///
/// Bytes that come in the same breath as SSLRequest or GSSENCRequest end the connection: a
/// plaintext stuffed before the encryption answer must never be taken for the client's
/// (CVE-2021-23214).
class Startup {
  public:
    /// `bytes` is all that is unconsumed; the action says how it goes on. After SendReply the bytes
    /// of the answered packet are gone and nothing else may be there.
    StartupAction on_bytes(wire::Bytes bytes);

  private:
    StartupAction refuse_encryption(bool& asked, bool extra_bytes);

    bool ssl_asked_ = false;
    bool gssenc_asked_ = false;
};

}  // namespace veer::proxy::session
