#pragma once

#include <cstddef>
#include <string>

namespace veer::index {

/// Zeroed memory that grows without moving: address space is taken at once, memory as it is used.
///
///     data() ─▶ [ usable, touched | usable, untouched |          reserved, no access          ]
///               0                            usable_bytes()                      reserved_bytes()
///
/// Invariants:
/// 1. data() never changes, so readers need no lock while the writer grows it.
/// 2. Untouched bytes cost address space only, large arrays ask for huge pages.
/// 3. With a directory it is pages of a file there that has no name, and so no life of its own: the
///    kernel drops them where memory is short, and reads them again. The disk holds all usable
///    bytes beforehand: a full one is a grow() that fails, never a write.
class ReservedMemory {
  public:
    /// Throws std::bad_alloc where not even address space is to be had, nor a file in `directory`.
    explicit ReservedMemory(std::size_t bytes, const std::string& directory = {});
    ReservedMemory(const ReservedMemory&) = delete;
    ReservedMemory& operator=(const ReservedMemory&) = delete;
    ~ReservedMemory();

    std::byte* data() const { return data_; }

    std::size_t usable_bytes() const { return usable_; }

    std::size_t reserved_bytes() const { return reserved_; }

    /// Makes the first `bytes` usable; says whether it could.
    bool grow(std::size_t bytes);

  private:
    bool grow_file(std::size_t wanted);

    int file_ = -1;
    void* mapping_ = nullptr;
    std::size_t mapped_ = 0;
    std::byte* data_ = nullptr;  ///< in the mapping, aligned to huge pages
    std::size_t reserved_ = 0;
    std::size_t usable_ = 0;
};

/// The machine's memory: what a reservation may sensibly ask for.
std::size_t machine_memory_bytes();

}  // namespace veer::index
