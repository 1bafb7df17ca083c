#pragma once

#include <cstddef>

namespace veer::index::test {

/// While it lives, the allocation by `new` of this thread, or of all others, that comes after so
/// many others throws std::bad_alloc, once.
class FailingMemory {
  public:
    enum class Of { this_thread, others };

    explicit FailingMemory(std::size_t after, Of whom = Of::this_thread);
    FailingMemory(const FailingMemory&) = delete;
    FailingMemory& operator=(const FailingMemory&) = delete;
    ~FailingMemory();

    /// Whether it has failed.
    static bool failed();
};

}  // namespace veer::index::test
