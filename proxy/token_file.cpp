#include "proxy/token_file.hpp"

#include "proxy/auth/crypto.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace veer::proxy {

namespace {

constexpr std::size_t token_bytes = 24;

}  // namespace

std::optional<std::string> make_token_file(const std::string& path) {
    const auto bytes = auth::random_bytes(token_bytes);
    if (!bytes) {
        return std::nullopt;
    }
    std::string token = auth::hexadecimal(*bytes);  // needs no quotes in a URL or a header
    ::unlink(path.c_str());                         // whoever has it open reads the old one
    const int file =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) {
        return std::nullopt;
    }
    const std::string line = token + '\n';
    const bool written =
        ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    ::close(file);
    return written ? std::optional(std::move(token)) : std::nullopt;
}

}  // namespace veer::proxy
