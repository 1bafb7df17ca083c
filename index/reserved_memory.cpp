#include "index/reserved_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

namespace veer::index {

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

std::size_t round_up(std::size_t value, std::size_t step) {
    return (value + step - 1) / step * step;
}

/// -1 where there can be none.
int unnamed_file(const std::string& directory) {
    const int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) {
        return file;
    }
    std::string name = directory + "/vectors.XXXXXX";  // not all file systems know O_TMPFILE
    const int named = ::mkostemp(name.data(), O_CLOEXEC);
    if (named >= 0) {
        ::unlink(name.c_str());
    }
    return named;
}

}  // namespace

ReservedMemory::ReservedMemory(std::size_t bytes, const std::string& directory)
    : mapped_{round_up(bytes, huge_page_bytes) + huge_page_bytes} {
    if (!directory.empty()) {
        file_ = unnamed_file(directory);
        if (file_ < 0) {
            throw std::bad_alloc{};
        }
    }
    mapping_ =
        ::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping_ == MAP_FAILED) {
        if (file_ >= 0) {
            ::close(file_);
        }
        throw std::bad_alloc{};
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(mapping_);
    data_ = static_cast<std::byte*>(mapping_) + (round_up(begin, huge_page_bytes) - begin);
    reserved_ = mapped_ - huge_page_bytes;
}

ReservedMemory::~ReservedMemory() {
    ::munmap(mapping_, mapped_);
    if (file_ >= 0) {
        ::close(file_);
    }
}

bool ReservedMemory::grow(std::size_t bytes) {
    if (bytes <= usable_) {
        return true;
    }
    // A small index would pay for two megabytes where it needs some kilobytes.
    const bool huge = bytes >= 2 * huge_page_bytes;
    const std::size_t wanted = round_up(bytes, huge ? huge_page_bytes : page_bytes);
    if (bytes > reserved_) {
        return false;
    }
    if (file_ >= 0) {
        return grow_file(wanted);
    }
    if (::mprotect(data_ + usable_, wanted - usable_, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    if (huge) {
        ::madvise(data_, wanted, MADV_HUGEPAGE);  // a wish; failure is fine
    }
    usable_ = wanted;
    return true;
}

bool ReservedMemory::grow_file(std::size_t wanted) {
    const std::size_t added = wanted - usable_;
    if (::posix_fallocate(file_, static_cast<off_t>(usable_), static_cast<off_t>(added)) != 0) {
        return false;
    }
    std::byte* const from = data_ + usable_;
    if (::mmap(
            from,
            added,
            PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_FIXED,
            file_,
            static_cast<off_t>(usable_)
        ) == MAP_FAILED) {
        return false;
    }
    ::madvise(from, added, MADV_RANDOM);  // a vector is asked for, not its neighbours in the file
    usable_ = wanted;
    return true;
}

std::size_t machine_memory_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long bytes = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0
               ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(bytes)
               : std::size_t{1} << 32;
}

}  // namespace veer::index
