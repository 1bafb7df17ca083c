#pragma once

#include "proxy/net/address.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace veer::proxy::net {

/// One open stream socket that never waits; closed with the object.
class Socket {
  public:
    /// What became of a read or write: `bytes` done; or none, and why.
    struct Result {
        std::size_t bytes = 0;
        bool would_block = false;
        bool ended = false;  ///< read: the peer sends no more
        std::error_code error = {};
    };

    Socket() = default;

    /// Takes over an open descriptor that does not block.
    explicit Socket(int descriptor) : descriptor_(descriptor) {}

    Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    Socket& operator=(Socket&& other) noexcept;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    ~Socket() { close(); }

    /// Opens a socket of the address' kind and begins to connect. Not connected yet where
    /// would_block: then it becomes writable, and take_error() says how it went.
    Result connect(const Address& address);

    std::error_code take_error() const;

    Result receive(std::span<char> room) const;
    Result send(std::string_view bytes) const;

    void shut_down_sending() const;
    void send_small_packets_at_once() const;
    void close();

    bool open() const { return descriptor_ >= 0; }

    int descriptor() const { return descriptor_; }

  private:
    int descriptor_ = -1;
};

}  // namespace veer::proxy::net
