#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

#include <array>
#include <cstddef>
#include <string>

namespace veer::proxy::net {

using Socket = boost::asio::generic::stream_protocol::socket;

/// One side of a connection: a socket, the bytes just read from it, the bytes yet to be written to
/// it.
///
/// Writes go out at once where the socket takes them; what it does not take waits in `out`, and the
/// owner stops reading the other side while more than `out_bytes_max` wait. So a slow reader slows
/// its writer down, as it would without veer in between.
struct Pipe {
    static constexpr std::size_t in_bytes = std::size_t{16} * 1024;
    static constexpr std::size_t out_bytes_max = std::size_t{256} * 1024;

    explicit Pipe(Socket opened) : socket(std::move(opened)) {}

    std::size_t unsent() const { return out.size() - sent; }

    Socket socket;
    std::array<char, in_bytes> in{};
    std::string out;
    std::size_t sent = 0;  ///< of `out`
    bool reading = false;
    bool writing = false;
    bool ended = false;  ///< its peer sends no more
    bool gone = false;   ///< and reads no more either
};

}  // namespace veer::proxy::net
