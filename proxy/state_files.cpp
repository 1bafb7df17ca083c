#include "proxy/state_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace veer::proxy {

namespace {

constexpr const char* state_name = "cutover.state";
constexpr const char* audit_name = "audit.jsonl";
constexpr const char* panic_name = "panic";
constexpr std::size_t line_bytes_max = std::size_t{1} << 20U;

std::string failed(const std::string& what, const std::filesystem::path& path) {
    return path.string() + " cannot be " + what + ": " + std::strerror(errno) + '.';
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// So that a rename, or a new file, is still there after a power cut.
bool sync_directory(const std::filesystem::path& directory) {
    const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = file >= 0 && ::fsync(file) == 0;
    if (file >= 0) {
        ::close(file);
    }
    return synced;
}

/// The last `count` bytes at most.
std::string tail(int file, off_t size, std::size_t count) {
    const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(count));
    std::string text(static_cast<std::size_t>(size - begin), '\0');
    const ssize_t got = ::pread(file, text.data(), text.size(), begin);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
}

}  // namespace

StateFiles::StateFiles(std::filesystem::path directory) : directory_(std::move(directory)) {
    std::error_code ignored;  // opening a file will tell
    std::filesystem::create_directories(directory_, ignored);
}

StateFiles::~StateFiles() {
    if (audit_ >= 0) {
        ::close(audit_);
    }
}

StateFiles::Found StateFiles::read() {
    Found found;
    const std::filesystem::path path = directory_ / state_name;
    std::error_code error;
    if (std::filesystem::exists(path, error) || error) {
        const std::ifstream stream(path, std::ios::binary);
        std::ostringstream text;
        text << stream.rdbuf();
        found.state = text.str();
        if (!stream || found.state.empty()) {
            found.problem = path.string() + " cannot be read, or is empty.";
        }
    }
    std::string problem = cut_audit(found.last_audit);
    found.problem += problem;
    return found;
}

std::string StateFiles::cut_audit(std::string& last_line) {
    const std::filesystem::path path = directory_ / audit_name;
    if (audit_ < 0) {
        constexpr mode_t owner_only = 0600;
        audit_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, owner_only);
    }

    struct stat status {};

    if (audit_ < 0 || ::fstat(audit_, &status) != 0) {
        return failed("opened", path);
    }
    std::string end = tail(audit_, status.st_size, line_bytes_max);
    const std::size_t last_feed = end.rfind('\n');
    const std::size_t whole = last_feed == std::string::npos ? 0 : last_feed + 1;
    if (whole < end.size() &&
        ::ftruncate(audit_, status.st_size - static_cast<off_t>(end.size() - whole)) != 0) {
        return failed("cut back to its last whole line", path);
    }
    end.resize(whole == 0 ? 0 : whole - 1);
    const std::size_t begin = end.rfind('\n');
    last_line = begin == std::string::npos ? end : end.substr(begin + 1);
    return {};
}

std::string StateFiles::save_state(const std::string& text) const {
    return replace_file(directory_, state_name, text);
}

std::string replace_file(
    const std::filesystem::path& directory, const std::string& name, const std::string& text
) {
    const std::filesystem::path path = directory / name;
    const std::filesystem::path draft = directory / (name + ".new");
    constexpr mode_t owner_only = 0600;
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only);
    if (file < 0) {
        return failed("written", draft);
    }
    const bool written = write_all(file, text) && ::fsync(file) == 0;
    std::string problem = written ? std::string() : failed("written", draft);
    ::close(file);
    if (problem.empty() && ::rename(draft.c_str(), path.c_str()) != 0) {
        problem = failed("replaced", path);
    }
    if (problem.empty() && !sync_directory(directory)) {
        problem = failed("made durable", directory);
    }
    return problem;
}

std::string StateFiles::append_audit(const std::string& line) {
    const std::filesystem::path path = directory_ / audit_name;

    struct stat before {};

    if (audit_ < 0 || ::fstat(audit_, &before) != 0) {
        return failed("opened", path);
    }
    if (write_all(audit_, line + '\n') && ::fdatasync(audit_) == 0) {
        return {};
    }
    std::string problem = failed("appended to", path);
    // Half a line would make all later ones look forged.
    if (::ftruncate(audit_, before.st_size) != 0) {
        problem += " A part of a line may be left in it.";
    }
    return problem;
}

bool StateFiles::panic_file() const {
    std::error_code error;
    const auto found = std::filesystem::status(directory_ / panic_name, error);
    return found.type() != std::filesystem::file_type::not_found;
}

}  // namespace veer::proxy
