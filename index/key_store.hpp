#pragma once

#include "index/reserved_memory.hpp"
#include "index/slot.hpp"

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace veer::index {

/// The key of each slot, written once, in order, readable without a lock once the slot is
/// published.
class KeyStore {
  public:
    explicit KeyStore(std::size_t slots_max) : memory_{slots_max * bytes_per_slot} {}

    KeyStore(const KeyStore&) = delete;
    KeyStore& operator=(const KeyStore&) = delete;

    ~KeyStore() { std::destroy_n(keys(), size_); }

    /// Short keys; longer ones have memory of their own.
    static constexpr std::size_t bytes_per_slot = sizeof(std::string);

    bool reserve(std::size_t slots) { return memory_.grow(slots * bytes_per_slot); }

    /// Stores the next slot's key; returns a view of the stored bytes. Requires room. Takes the
    /// string, so that nothing can fail.
    std::string_view add(std::string key) noexcept {
        const std::string& stored = *new (keys() + size_) std::string{std::move(key)};
        ++size_;
        return stored;
    }

    const std::string& get(Slot slot) const { return keys()[slot]; }

  private:
    std::string* keys() const { return reinterpret_cast<std::string*>(memory_.data()); }

    ReservedMemory memory_;
    std::size_t size_ = 0;  ///< the writer's
};

}  // namespace veer::index
