#include "tests/unit/index/failing_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr std::size_t forever = std::numeric_limits<std::size_t>::max();
constexpr std::size_t spent = forever - 1;

thread_local std::size_t allocations_left = forever;
thread_local bool spared = false;
std::atomic<std::size_t> allocations_left_of_others{forever};

/// Whether this one is to fail.
bool fails() {
    if (allocations_left < spent && allocations_left-- == 0) {
        allocations_left = spent;
        return true;
    }
    if (!spared && allocations_left_of_others.load() < spent &&
        allocations_left_of_others.fetch_sub(1) == 0) {
        allocations_left_of_others = spent;
        return true;
    }
    return false;
}

}  // namespace

namespace veer::index::test {

FailingMemory::FailingMemory(std::size_t after, Of whom) {
    spared = whom == Of::others;
    if (spared) {
        allocations_left_of_others = after;
    } else {
        allocations_left = after;
    }
}

FailingMemory::~FailingMemory() {
    spared = false;
    allocations_left_of_others = forever;
    allocations_left = forever;
}

bool FailingMemory::failed() {
    return allocations_left == spent || allocations_left_of_others == spent;
}

}  // namespace veer::index::test

// All that the library has by itself would else be of another allocator than what frees it.
void* operator new(std::size_t bytes, const std::nothrow_t& /*unused*/) noexcept {
    if (fails()) {
        return nullptr;
    }
    return std::malloc(bytes == 0 ? 1 : bytes);
}

void* operator new(std::size_t bytes) {
    if (void* const memory = operator new(bytes, std::nothrow)) {
        return memory;
    }
    throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
    std::free(memory);
}

void operator delete(void* memory, const std::nothrow_t& /*unused*/) noexcept {
    std::free(memory);
}
