#include "proxy/net/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace veer::proxy::net {

namespace {

Socket::Result failed() {
    const int number = errno;
    if (number == EAGAIN || number == EWOULDBLOCK || number == EINTR || number == EINPROGRESS) {
        return {.would_block = true};
    }
    return {.error = std::error_code(number, std::generic_category())};
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

Socket::Result Socket::connect(const Address& address) {
    close();
    descriptor_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) {
        return failed();
    }
    send_small_packets_at_once();
    const auto* const name = reinterpret_cast<const sockaddr*>(&address.storage);
    if (::connect(descriptor_, name, address.bytes) == 0) {
        return {};
    }
    if (errno == EAGAIN) {  // of a Unix socket: its queue is full, and nothing is on its way
        return {.error = std::error_code(EAGAIN, std::generic_category())};
    }
    return failed();
}

std::error_code Socket::take_error() const {
    int number = 0;
    socklen_t bytes = sizeof number;
    if (getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &number, &bytes) != 0) {
        number = errno;
    }
    return {number, std::generic_category()};
}

Socket::Result Socket::receive(std::span<char> room) const {
    const ssize_t count = ::recv(descriptor_, room.data(), room.size(), 0);
    if (count < 0) {
        return failed();
    }
    return {.bytes = static_cast<std::size_t>(count), .ended = count == 0};
}

Socket::Result Socket::send(std::string_view bytes) const {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return count < 0 ? failed() : Result{.bytes = static_cast<std::size_t>(count)};
}

void Socket::shut_down_sending() const {
    ::shutdown(descriptor_, SHUT_WR);
}

void Socket::send_small_packets_at_once() const {
    // Not a TCP socket: nothing to set, and no harm.
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void Socket::close() {
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
}

}  // namespace veer::proxy::net
