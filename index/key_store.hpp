#pragma once

#include "index/slot.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace veer::index {

/// The key of each slot, written once, readable without a lock once the slot is published.
///
///     chunk 0 [ 4096 strings ]   chunk 1 [ 4096 strings ]   ...      never moved, never rewritten
///
/// A larger copy shares the chunks, so views of keys outlive growth.
class KeyStore {
  public:
    explicit KeyStore(std::size_t capacity) : chunks_((capacity + chunk_keys - 1) / chunk_keys) {}

    /// A copy with more room. Only the writer may copy.
    KeyStore(const KeyStore& other, std::size_t capacity) : KeyStore{capacity} {
        for (std::size_t i = 0; i < other.chunks_.size(); ++i) {
            chunks_[i] = other.chunks_[i];
        }
    }

    /// Stores a slot's key; returns a view of the stored bytes.
    std::string_view set(Slot slot, std::string_view key) {
        std::shared_ptr<std::string[]>& chunk = chunks_[slot / chunk_keys];
        if (!chunk) {
            chunk = std::make_shared<std::string[]>(chunk_keys);
        }
        std::string& stored = chunk[position(slot)];
        stored = std::string{key};
        return stored;
    }

    const std::string& get(Slot slot) const { return chunks_[slot / chunk_keys][position(slot)]; }

  private:
    static constexpr std::size_t chunk_keys = 4096;

    static std::ptrdiff_t position(Slot slot) {
        return static_cast<std::ptrdiff_t>(slot % chunk_keys);
    }

    std::vector<std::shared_ptr<std::string[]>> chunks_;
};

}  // namespace veer::index
