#include "tests/unit/index/failing_memory.hpp"

#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr std::size_t forever = std::numeric_limits<std::size_t>::max();
constexpr std::size_t spent = forever - 1;

thread_local std::size_t allocations_left = forever;

}  // namespace

namespace veer::index::test {

FailingMemory::FailingMemory(std::size_t after) {
    allocations_left = after;
}

FailingMemory::~FailingMemory() {
    allocations_left = forever;
}

bool FailingMemory::failed() {
    return allocations_left == spent;
}

}  // namespace veer::index::test

// All that the library has by itself would else be of another allocator than what frees it.
void* operator new(std::size_t bytes, const std::nothrow_t& /*unused*/) noexcept {
    if (allocations_left < spent && allocations_left-- == 0) {
        allocations_left = spent;
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
