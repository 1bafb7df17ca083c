#pragma once

#include <cstddef>

namespace veer::index::test {

/// While it lives, the allocation by `new` of this thread that comes after so many others throws
/// std::bad_alloc, once.
class FailingMemory {
  public:
    explicit FailingMemory(std::size_t after);
    FailingMemory(const FailingMemory&) = delete;
    FailingMemory& operator=(const FailingMemory&) = delete;
    ~FailingMemory();

    /// Whether it has failed.
    static bool failed();
};

}  // namespace veer::index::test
