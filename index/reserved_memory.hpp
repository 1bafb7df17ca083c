#pragma once

#include "index/vector_file.hpp"

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
/// 3. With a VectorFile what is beyond its memory_first is pages of a file that has no name, and so
///    no life of its own: the kernel drops them where memory is short, and reads them again. The
///    disk holds all usable bytes beforehand: a full one is a grow() that fails, never a write.
class ReservedMemory {
  public:
    /// Throws std::bad_alloc where not even address space is to be had, nor the file.
    explicit ReservedMemory(std::size_t bytes, const VectorFile& file = {});
    ReservedMemory(const ReservedMemory&) = delete;
    ReservedMemory& operator=(const ReservedMemory&) = delete;
    ~ReservedMemory();

    std::byte* data() const { return data_; }

    std::size_t usable_bytes() const { return usable_; }

    std::size_t reserved_bytes() const { return reserved_; }

    /// Makes the first `bytes` usable; says whether it could.
    bool grow(std::size_t bytes);

    /// Of the first `bytes`, those in the file. Requires them to be usable; any thread may ask.
    FileBytes in_file(std::size_t bytes) const;

  private:
    bool grow_memory(std::size_t wanted, bool huge);
    bool grow_file(std::size_t wanted);

    int file_ = -1;
    std::size_t memory_max_;  ///< from there on it is the file
    void* mapping_ = nullptr;
    std::size_t mapped_ = 0;
    std::byte* data_ = nullptr;  ///< in the mapping, aligned to huge pages
    std::size_t reserved_ = 0;
    std::size_t usable_ = 0;
};

/// The machine's memory: what a reservation may sensibly ask for.
std::size_t machine_memory_bytes();

}  // namespace veer::index
