#include "storage/source/wake.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace veer::storage::source {

Wake::Wake() : fd_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (fd_ < 0) {
        throw std::system_error{errno, std::generic_category(), "eventfd"};
    }
}

Wake::~Wake() {
    close(fd_);
}

void Wake::wake() {
    const std::uint64_t one = 1;
    // Can fail only where the counter is full, and then it is readable anyway.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

bool Wake::woken() const {
    pollfd waited{fd_, POLLIN, 0};
    return poll(&waited, 1, 0) > 0;
}

void Wake::sleep(std::chrono::milliseconds duration) const {
    pollfd waited{fd_, POLLIN, 0};
    poll(&waited, 1, static_cast<int>(duration.count()));
}

}  // namespace veer::storage::source
