#include "proxy/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

namespace veer::proxy {

namespace {

constexpr const char* lock_name = "veer.lock";

/// "process 1234", as its holder has written it; whoever has just begun may not have yet.
std::string holder(int file) {
    std::array<char, 32> text{};
    const ssize_t got = ::pread(file, text.data(), text.size(), 0);
    std::string_view pid(text.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    pid = pid.substr(0, pid.find_first_not_of("0123456789"));
    return pid.empty() ? "another process" : "process " + std::string(pid);
}

bool write_own_pid(int file) {
    const std::string line = std::to_string(::getpid()) + '\n';
    return ::ftruncate(file, 0) == 0 &&
           ::pwrite(file, line.data(), line.size(), 0) == static_cast<ssize_t>(line.size());
}

}  // namespace

DirectoryLock::DirectoryLock(int file, std::string trouble)
    : file_(file), trouble_(std::move(trouble)) {}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : file_(std::exchange(other.file_, -1)), trouble_(std::move(other.trouble_)) {}

DirectoryLock::~DirectoryLock() {
    if (file_ >= 0) {
        ::close(file_);
    }
}

boost::system::result<DirectoryLock, std::string> DirectoryLock::take(
    const std::filesystem::path& directory
) {
    std::error_code ignored;  // opening the file will tell
    std::filesystem::create_directories(directory, ignored);
    const std::filesystem::path path = directory / lock_name;
    constexpr mode_t owner_only = 0600;
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only);
    if (file < 0) {
        return DirectoryLock(-1, path.string() + " cannot be opened: " + std::strerror(errno));
    }
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) {
        const bool named = write_own_pid(file);
        return DirectoryLock(file, named ? "" : path.string() + " cannot be written");
    }
    const int error = errno;
    const std::string who = holder(file);
    ::close(file);
    if (error == EWOULDBLOCK) {
        return "The directory " + directory.string() + " is in use by another veer (" + who +
               "): stop that one, or give this one a directory of its own, by [storage] dir or "
               "--data-dir.";
    }
    return DirectoryLock(-1, path.string() + " cannot be locked: " + std::strerror(error));
}

}  // namespace veer::proxy
