#include "index/reserved_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
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

ReservedMemory::ReservedMemory(std::size_t bytes, const VectorFile& file)
    : memory_max_{file.used() ? round_up(file.memory_first, huge_page_bytes) : std::numeric_limits<std::size_t>::max()},
      mapped_{round_up(bytes, huge_page_bytes) + huge_page_bytes} {
    if (file.used()) {
        file_ = unnamed_file(file.directory);
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
    return grow_memory(std::min(wanted, memory_max_), huge) && grow_file(wanted);
}

bool ReservedMemory::grow_memory(std::size_t wanted, bool huge) {
    if (wanted <= usable_) {
        return true;
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

/// Requires what is before the file to be usable.
bool ReservedMemory::grow_file(std::size_t wanted) {
    if (wanted <= usable_) {
        return true;
    }
    const std::size_t added = wanted - usable_;
    const auto offset = static_cast<off_t>(usable_ - memory_max_);
    if (::posix_fallocate(file_, offset, static_cast<off_t>(added)) != 0) {
        return false;
    }
    std::byte* const from = data_ + usable_;
    if (::mmap(from, added, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file_, offset) ==
        MAP_FAILED) {
        return false;
    }
    ::madvise(from, added, MADV_RANDOM);  // a vector is asked for, not its neighbours in the file
    usable_ = wanted;
    return true;
}

FileBytes ReservedMemory::in_file(std::size_t bytes) const {
    if (bytes <= memory_max_) {
        return {};
    }
    constexpr std::size_t sample_pages = 64;
    constexpr std::size_t samples_max = 256;
    const std::size_t stored = bytes - memory_max_;
    const std::size_t pages = (stored + page_bytes - 1) / page_bytes;
    const std::size_t groups = (pages + sample_pages - 1) / sample_pages;
    const std::size_t samples = std::min(groups, samples_max);
    std::size_t seen = 0;
    std::size_t cached = 0;
    std::array<unsigned char, sample_pages> resident{};
    for (std::size_t sample = 0; sample < samples; ++sample) {
        const std::size_t first = sample * groups / samples * sample_pages;
        const std::size_t count = std::min(sample_pages, pages - first);
        std::byte* const at = data_ + memory_max_ + first * page_bytes;
        if (::mincore(at, count * page_bytes, resident.data()) != 0) {
            continue;
        }
        seen += count;
        cached += static_cast<std::size_t>(std::count_if(
            resident.begin(),
            resident.begin() + count,
            [](unsigned char page) { return (page & 1U) != 0; }
        ));
    }
    const double share = seen > 0 ? static_cast<double>(cached) / static_cast<double>(seen) : 0;
    return {stored, static_cast<std::uint64_t>(share * static_cast<double>(stored))};
}

std::size_t machine_memory_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long bytes = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0
               ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(bytes)
               : std::size_t{1} << 32;
}

}  // namespace veer::index
